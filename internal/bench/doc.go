// Package bench measures hot paths of the whole program on the machine it runs
// on: `omote bench ingest` loads a server through HTTP and reports what it held.
package bench
