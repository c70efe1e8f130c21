package connect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"testing"
	"time"

	"omote/internal/ingest/mapping"
	"omote/internal/ingest/plan"
	"omote/internal/testkit"
)

// mariadb starts a server of the test's own in an empty folder, without accounts,
// and gives its port. It goes away with the test.
func mariadb(t *testing.T) int {
	t.Helper()
	server, err := exec.LookPath("mariadbd")
	if err != nil {
		if server = "/usr/sbin/mariadbd"; !exists(server) {
			t.Skip("no MariaDB server is installed (package mariadb-server-core)")
		}
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, server, "--no-defaults", "--datadir="+data, "--user="+me.Username, "--socket="+filepath.Join(dir, "s"), "--pid-file="+filepath.Join(dir, "pid"),
		"--bind-address=127.0.0.1", fmt.Sprint("--port=", port), "--skip-grant-tables", "--innodb-buffer-pool-size=16M")
	if err := cmd.Start(); err != nil {
		stop()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		_ = cmd.Wait()
	})
	return port
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, os.ErrNotExist)
}

// TestPullFromMariaDB reads a real server with the driver for MySQL, a page at a
// time. Ten rows share one instant, and keys differ in nothing but capitals: the
// end of a page amid them must pass over none.
func TestPullFromMariaDB(t *testing.T) {
	t.Parallel()
	source := &Source{Driver: MySQL, Host: "127.0.0.1", Port: mariadb(t), Name: "information_schema", User: "root", Insecure: true,
		Query: "SELECT * FROM crm.person", Key: "id", Mark: "updated_at", MarkIs: ByTime, Overlap: time.Minute, Page: 3}
	crm, err := Open(source, "")
	if err != nil {
		t.Fatal(err)
	}
	defer crm.Close()
	for late := time.Now().Add(60 * time.Second); crm.PingContext(t.Context()) != nil; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatal("the server does not answer")
		}
	}
	run := func(query string, args ...any) {
		t.Helper()
		if _, err := crm.ExecContext(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	run("CREATE DATABASE crm CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
	run("CREATE TABLE crm.person (id VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, full_name VARCHAR(100), updated_at DATETIME(6))")
	base := testkit.Epoch.Add(-24 * time.Hour)
	for i := range 20 {
		for _, form := range []string{"p%02d", "P%02d"} {
			run("INSERT INTO crm.person VALUES (?, 'Nguyễn Thị Ví Dụ', ?)", fmt.Sprintf(form, i), base.Add(time.Duration(i/10)*time.Minute))
		}
	}
	s, l, ctx := newService(t, testkit.SQLite(t, tables...))
	c, err := s.Save(ctx, "", Config{Name: "CRM", Kind: Database, System: "crm", Every: time.Minute, History: true,
		Mapping: mapping.Mapping{Kind: mapping.Customers, Fields: map[mapping.Field]string{mapping.User: "id", mapping.Time: "updated_at"},
			Properties: []mapping.Property{{Column: "full_name", Name: "name", Type: plan.String, Personal: true}}}, Source: source}, "unused")
	if err != nil {
		t.Fatal(err)
	}
	step(t, s, ctx)
	seen := map[string]bool{}
	for _, e := range l.events {
		seen[e.UserID] = true
	}
	if len(seen) != 40 {
		got, err := s.Get(ctx, c.ID)
		t.Fatalf("%d of 40 rows were read: %+v %v", len(seen), got, err)
	}
	run("UPDATE crm.person SET full_name = 'Trần Văn Ví Dụ', updated_at = ? WHERE id = 'P07'", base.Add(2*time.Hour))
	testkit.Clock(s.DB).Advance(2 * time.Minute)
	before := len(l.events)
	step(t, s, ctx)
	if n := len(l.events) - before; n != 1 || l.events[before].UserID != "P07" {
		t.Errorf("%d events after one change, want one of P07", n)
	}
}
