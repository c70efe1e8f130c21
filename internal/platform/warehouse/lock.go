package warehouse

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"omote/internal/platform/errs"
)

// fileLock says that this process owns the warehouse file. The kernel lets go of
// it when the process dies, however it dies.
type fileLock struct{ f *os.File }

// lockFile takes the lock or answers errs.Conflict with the process that has it.
func lockFile(path string) (*fileLock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		holder, _ := os.ReadFile(path)
		f.Close()
		return nil, errs.Conflict("warehouse.error.locked",
			"the warehouse in %s is in use by process %s; only one process may own it: stop that one, or give this one another data folder",
			path, strings.TrimSpace(string(holder)))
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if err := errors.Join(f.Truncate(0), writeAt(f, strconv.Itoa(os.Getpid())+"\n")); err != nil {
		f.Close()
		return nil, fmt.Errorf("write lock %s: %w", path, err)
	}
	return &fileLock{f}, nil
}

func writeAt(f *os.File, s string) error {
	_, err := f.WriteAt([]byte(s), 0)
	return err
}

// Unlock lets go; the file stays, so that nobody locks one that is being removed.
func (l *fileLock) Unlock() error { return l.f.Close() }
