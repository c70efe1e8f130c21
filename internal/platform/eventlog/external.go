package eventlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// ErrUnsynced is returned by Open for an external cluster that was not shown to
// flush to disk before it acknowledges.
var ErrUnsynced = errors.New("eventlog: the NATS cluster is not shown to flush to disk before it acknowledges")

// A NATS server flushes before each acknowledgement only when it was started
// with `jetstream { sync_interval: always }`; by default it flushes every two
// minutes, and a power failure of one rack loses what was acknowledged in
// between. A client cannot see that setting, but the server's HTTP monitoring
// endpoint can: /varz?config=true gives jetstream.config.sync_always with the
// server's name. proveSynced therefore asks every monitoring address and wants
// the setting from every server that holds a partition.
func (l *Log) proveSynced(ctx context.Context) error {
	hint := "start each server with jetstream { sync_interval: always } and give its monitoring address, or allow an unsynced log explicitly"
	if len(l.opts.MonitorURLs) == 0 {
		return fmt.Errorf("%w: no monitoring address is given; %s", ErrUnsynced, hint)
	}
	synced := map[string]bool{}
	for _, url := range l.opts.MonitorURLs {
		name, always, err := askServer(ctx, url)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrUnsynced, err)
		}
		if !always {
			return fmt.Errorf("%w: the server %s at %s flushes at intervals; %s", ErrUnsynced, name, url, hint)
		}
		synced[name] = true
	}
	for p, s := range l.streams {
		info, err := s.Info(ctx)
		if err != nil {
			return fmt.Errorf("servers of partition %d: %w", p, err)
		}
		servers := []string{l.conn.ConnectedServerName()}
		if info.Cluster != nil && info.Cluster.Leader != "" {
			servers = []string{info.Cluster.Leader}
			for _, replica := range info.Cluster.Replicas {
				servers = append(servers, replica.Name)
			}
		}
		if i := slices.IndexFunc(servers, func(name string) bool { return !synced[name] }); i >= 0 {
			return fmt.Errorf("%w: the server %s holds partition %d and none of the monitoring addresses is its; %s", ErrUnsynced, servers[i], p, hint)
		}
	}
	return nil
}

// askServer reads the name and the flush setting of the server at a monitoring
// address.
func askServer(ctx context.Context, url string) (name string, syncAlways bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(url, "/")+"/varz", nil)
	if err != nil {
		return "", false, fmt.Errorf("monitoring address %q: %w", url, err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", false, fmt.Errorf("monitoring address %s: %w", url, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", false, fmt.Errorf("monitoring address %s answers %s", url, resp.Status)
	}
	var varz struct {
		ServerName string `json:"server_name"`
		JetStream  struct {
			Config struct {
				SyncAlways bool `json:"sync_always"`
			} `json:"config"`
		} `json:"jetstream"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(nil, resp.Body, 4<<20)).Decode(&varz); err != nil {
		return "", false, fmt.Errorf("monitoring address %s: %w", url, err)
	}
	return varz.ServerName, varz.JetStream.Config.SyncAlways, nil
}
