package testkit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // database/sql driver "pgx"
)

// PostgresURL gives the address of a fresh, empty database that is dropped when
// the test ends. See the package comment for where the server comes from.
func PostgresURL(t testing.TB) string {
	t.Helper()
	server, err := postgresServer()
	if errors.Is(err, errNoPostgres) && os.Getenv("CI") != "true" {
		t.Skip("PostgreSQL half left out: ", err)
	}
	if err != nil {
		t.Fatal("PostgreSQL: ", err)
	}
	name := fmt.Sprintf("omote_test_%d_%d", os.Getpid(), databases.Add(1))
	if err := execute(server, `CREATE DATABASE "`+name+`" TEMPLATE template0`); err != nil {
		t.Fatal("create database: ", err)
	}
	t.Cleanup(func() {
		if err := execute(server, `DROP DATABASE "`+name+`" WITH (FORCE)`); err != nil {
			t.Error("drop database: ", err)
		}
	})
	u := *server
	u.Path = "/" + name
	return u.String()
}

var (
	databases     atomic.Int64
	errNoPostgres = errors.New("no server binaries found (install the package postgresql)")
)

func execute(server *url.URL, query string) error {
	db, err := sql.Open("pgx", server.String())
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec(query)
	return err
}

// postgresServer starts the process's server on first use.
var postgresServer = sync.OnceValues(func() (*url.URL, error) {
	if s := os.Getenv("OMOTE_TEST_POSTGRES"); s != "" {
		return url.Parse(s)
	}
	bin, err := postgresBinaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "omote-pg-")
	if err != nil {
		return nil, err
	}
	attr, err := unprivileged(dir)
	if err != nil {
		return nil, err
	}
	return startPostgres(bin, dir, attr)
})

// postgresBinaries finds the folder with initdb and postgres, newest version first.
func postgresBinaries() (string, error) {
	dirs, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	slices.SortFunc(dirs, func(a, b string) int { return version(b) - version(a) })
	for _, dir := range append(dirs, "/usr/local/bin", "/usr/bin") {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err == nil {
			return dir, nil
		}
	}
	return "", errNoPostgres
}

func version(dir string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
	if err != nil {
		return 0
	}
	return n
}

// unprivileged gives dir to a user who may run PostgreSQL, which refuses root.
func unprivileged(dir string) (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() != 0 {
		return attr, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, os.Chown(dir, int(uid), int(gid))
}

// supervisor runs the server until its standard input ends, which happens when
// the test process ends, however it does; then it stops the server and removes
// the folder. Arguments: binaries, folder.
const supervisor = `
"$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
	-c max_connections=200 -c max_prepared_transactions=10 -c shared_buffers=64MB &
server=$!
cat >/dev/null
kill -QUIT $server
wait $server
cd / && rm -rf "$2"
`

func startPostgres(bin, dir string, attr *syscall.SysProcAttr) (*url.URL, error) {
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"), "-U", "omote", "--auth=trust", "--no-sync",
		"--encoding=UTF8", "--locale=C")
	initdb.Dir, initdb.SysProcAttr = dir, attr
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	logPath := filepath.Join(dir, "log")
	logFile, err := os.Create(logPath)
	if err != nil {
		return nil, err
	}
	defer logFile.Close()
	server := exec.Command("/bin/sh", "-c", supervisor, "sh", bin, dir)
	server.Dir, server.SysProcAttr, server.Stdout, server.Stderr = dir, attr, logFile, logFile
	// The pipe is never written to and stays open for as long as this process lives.
	if _, err := server.StdinPipe(); err != nil {
		return nil, err
	}
	if err := server.Start(); err != nil {
		return nil, err
	}
	go func() { _ = server.Wait() }() // holds the pipe; what became of the server shows in the tests
	u := &url.URL{Scheme: "postgres", User: url.User("omote"), Path: "/postgres", RawQuery: url.Values{"host": {dir}}.Encode()}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		err := execute(u, "SELECT 1")
		if err == nil {
			return u, nil
		}
		select {
		case <-ctx.Done():
			text, _ := os.ReadFile(logPath)
			return nil, fmt.Errorf("the server did not answer: %w\n%s", err, strings.TrimSpace(string(text)))
		case <-time.After(20 * time.Millisecond):
		}
	}
}
