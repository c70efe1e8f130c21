package eventlog

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"omote/internal/platform/errs"
	"omote/internal/platform/event"
)

// node is a NATS server that listens on this machine.
type node struct {
	opts server.Options
	srv  *server.Server
}

func (n *node) start(tb testing.TB) {
	tb.Helper()
	o := n.opts
	srv, err := server.NewServer(&o)
	if err != nil {
		tb.Fatal(err)
	}
	srv.Start()
	if !srv.ReadyForConnections(10 * time.Second) {
		tb.Fatal("the NATS server did not start")
	}
	n.srv = srv
	n.opts.Port = srv.Addr().(*net.TCPAddr).Port // keeps its addresses when it comes back
	n.opts.HTTPPort = srv.MonitorAddr().Port
}

func (n *node) stop() {
	n.srv.Shutdown()
	n.srv.WaitForShutdown()
}

func (n *node) monitor() string { return fmt.Sprintf("http://127.0.0.1:%d", n.opts.HTTPPort) }

// single is one external server.
func single(tb testing.TB, syncAlways bool) *node {
	n := &node{opts: server.Options{
		ServerName: "n1", Host: "127.0.0.1", Port: -1, HTTPHost: "127.0.0.1", HTTPPort: -1,
		JetStream: true, StoreDir: tb.TempDir(), SyncAlways: syncAlways, NoSigs: true, NoLog: true,
	}}
	n.start(tb)
	tb.Cleanup(n.stop)
	return n
}

// three is a cluster of three servers that flush before they acknowledge.
func three(tb testing.TB) []*node {
	tb.Helper()
	dir := tb.TempDir()
	routes := make([]*url.URL, 3)
	ports := make([]int, 3)
	for i := range routes {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			tb.Fatal(err)
		}
		ports[i] = l.Addr().(*net.TCPAddr).Port
		routes[i] = &url.URL{Scheme: "nats", Host: l.Addr().String()}
		_ = l.Close()
	}
	nodes := make([]*node, 3)
	for i := range nodes {
		nodes[i] = &node{opts: server.Options{
			ServerName: fmt.Sprint("n", i), Host: "127.0.0.1", Port: -1, HTTPHost: "127.0.0.1", HTTPPort: -1,
			JetStream: true, StoreDir: filepath.Join(dir, fmt.Sprint(i)), SyncAlways: true, NoSigs: true, NoLog: true,
			Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: ports[i]}, Routes: routes,
		}}
	}
	for _, n := range nodes {
		n.start(tb)
		tb.Cleanup(func() { n.stop() })
	}
	eventually(tb, "a cluster with a leader", func() bool {
		for _, n := range nodes {
			if n.srv.JetStreamIsLeader() && len(n.srv.JetStreamClusterPeers()) == len(nodes) {
				return true
			}
		}
		return false
	})
	return nodes
}

func TestExternalServerMustProveThatItFlushes(t *testing.T) {
	t.Parallel()
	safe, lazy := single(t, true), single(t, false)
	for _, c := range []struct {
		name     string
		node     *node
		monitors []string
		allow    bool
		refused  bool
	}{
		{"no proof", safe, nil, false, true},
		{"flushes at intervals", lazy, []string{lazy.monitor()}, false, true},
		{"proof of another server", lazy, []string{lazy.monitor(), safe.monitor()}, false, true},
		{"nobody answers", safe, []string{"http://127.0.0.1:1"}, false, true},
		{"allowed", lazy, nil, true, false},
		{"proven", safe, []string{safe.monitor()}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := Open(t.Context(), Options{
				URL: c.node.srv.ClientURL(), MonitorURLs: c.monitors, AllowUnsynced: c.allow,
				Replicas: 1, Partitions: 1, Keys: newBenchKeys(), Logger: quiet,
			})
			if err == nil {
				defer closeLog(t, l)
				mustAppend(t, l, made("a", 1))
			}
			if errors.Is(err, ErrUnsynced) != c.refused || (err == nil) == c.refused {
				t.Fatalf("got %v, want refused %v", err, c.refused)
			}
		})
	}
}

func TestServerThatIsNotTheOneProvenIsRefused(t *testing.T) {
	t.Parallel()
	a, b := single(t, true), single(t, true)
	b.stop()
	b.opts.ServerName = "other"
	b.start(t)
	_, err := Open(t.Context(), Options{
		URL: b.srv.ClientURL(), MonitorURLs: []string{a.monitor()}, Replicas: 1, Partitions: 1, Keys: newBenchKeys(), Logger: quiet,
	})
	if !errors.Is(err, ErrUnsynced) || !strings.Contains(err.Error(), "other") {
		t.Fatalf("got %v, want a refusal that names the server", err)
	}
}

func TestClusterSurvivesTheLossOfANode(t *testing.T) {
	t.Parallel()
	nodes := three(t)
	var addresses, monitors []string
	for _, n := range nodes {
		addresses = append(addresses, n.srv.ClientURL())
		monitors = append(monitors, n.monitor())
	}
	open := func() *Log {
		l, err := Open(t.Context(), Options{
			URL: strings.Join(addresses, ","), MonitorURLs: monitors, Partitions: 2,
			Keys: newBenchKeysOf(1), AckTimeout: 2 * time.Second, Logger: quiet,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { closeLog(t, l) })
		return l
	}
	writer, worker := open(), open() // an ingest node and a worker node
	p := newMemory("state")
	start(t, worker, p, RunOptions{})

	leader := writer.streams[0].CachedInfo().Cluster.Leader
	const each = 400
	var group sync.WaitGroup
	half := make(chan struct{})
	var once sync.Once
	last := make([]Receipt, 4)
	for c := range last {
		group.Go(func() {
			for n := 0; n < each; n += 10 {
				last[c] = insist(t, writer, fmt.Sprint("c", c), n, 10)
				if n > each/3 {
					once.Do(func() { close(half) })
				}
			}
		})
	}
	<-half
	for _, n := range nodes {
		if n.opts.ServerName == leader {
			n.stop()
			defer func() {
				eventually(t, "the node catches up", func() bool { return caughtUp(writer, leader) })
			}()
			defer n.start(t)
			break
		}
	}
	group.Wait()
	for _, r := range last {
		waitFor(t, worker, "state", r)
		waitFor(t, writer, "state", r) // the position reaches the other node too
	}
	effects := map[string]int{}
	order := map[string]string{}
	for _, r := range p.all() {
		if r.Duplicate {
			continue
		}
		effects[r.MessageID]++
		if r.MessageID <= order[r.UserID] {
			t.Errorf("%s stands after %s", r.MessageID, order[r.UserID])
		}
		order[r.UserID] = r.MessageID
	}
	for c := range last {
		for n := range each {
			if id := made(fmt.Sprint("c", c), n).MessageID; effects[id] != 1 {
				t.Errorf("%s took effect %d times", id, effects[id])
			}
		}
	}
}

// insist appends until it is acknowledged, as a sender would.
func insist(tb testing.TB, l *Log, customer string, from, n int) Receipt {
	events := make([]event.Event, n)
	for i := range events {
		events[i] = made(customer, from+i)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		r, err := l.Append(context.Background(), events)
		if err == nil {
			return r
		}
		if errs.KindOf(err) != errs.KindUnavailable || time.Now().After(end) {
			tb.Errorf("append: %v", err)
			return r
		}
	}
}

func caughtUp(l *Log, name string) bool {
	for _, s := range l.streams {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		info, err := s.Info(ctx)
		cancel()
		if err != nil {
			return false
		}
		found := info.Cluster.Leader == name
		for _, r := range info.Cluster.Replicas {
			found = found || r.Name == name && r.Current && !r.Offline
		}
		if !found {
			return false
		}
	}
	return true
}

// newBenchKeysOf is a ring whose key depends on the seed only.
func newBenchKeysOf(seed byte) *benchKeys {
	k := newBenchKeys()
	for i := range k.key.Secret {
		k.key.Secret[i] = seed
	}
	return k
}
