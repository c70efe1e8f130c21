// Package send holds the senders of the outbox: how a message leaves for the
// world, and what its answer means.
//
//	e-mail   Mail      an SMTP server, or a folder of .eml files where there is none
//	webhook  Webhooks  an address that is told of something (Standard Webhooks)
//	other    Gateway   SMS, Zalo, push: an HTTP service described in a file
//
// Each sender says of an answer whether the message is out, refused for good
// (outbox.Rejected), not taken (outbox.NotSent, tried again), or unknown. Unknown
// is repeated only where the receiver recognises the message's key.
package send

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"omote/internal/platform/outbox"
)

// timeout of one attempt.
const timeout = 30 * time.Second

// maxAnswer is how much of an answer is read.
const maxAnswer = 64 << 10

// errLocal is an address on which only this machine or its host's metadata
// service listens: no message has any business there.
var errLocal = errors.New("the address belongs to this machine")

// client makes an HTTP client for senders. It follows no redirect, since an answer
// must come from whom the message was meant for; unless local is set it does not
// connect to this machine, whatever a name resolves to.
func client(local bool) *http.Client {
	d := &net.Dialer{Timeout: timeout}
	if !local {
		d.Control = func(_, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil {
				return err
			}
			if ip := at.Addr().Unmap(); ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() || ip.IsMulticast() {
				return errLocal
			}
			return nil
		}
	}
	return &http.Client{Timeout: timeout, Transport: &http.Transport{DialContext: d.DialContext, MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute,
		ForceAttemptHTTP2: true, TLSHandshakeTimeout: timeout},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// reached sorts the error of a request that got no answer: a connection that was
// never made carried nothing.
func reached(err error) error {
	if errors.Is(err, errLocal) {
		return outbox.Rejected(err)
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return outbox.NotSent(err)
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return outbox.NotSent(err)
	}
	return err
}

// answered sorts an HTTP status. A receiver that is busy has said that it did not
// take the message; one that failed has said nothing.
func answered(status int) error {
	err := errors.New("the receiver answered " + http.StatusText(status))
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable, status == http.StatusTooEarly:
		return outbox.NotSent(err)
	case status == http.StatusRequestTimeout, status == http.StatusConflict, status >= 500:
		return err
	default:
		return outbox.Rejected(err)
	}
}
