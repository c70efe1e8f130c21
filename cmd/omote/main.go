// Command omote is the whole product: server, worker and command line.
package main

import (
	"os"
	_ "time/tzdata" // zones do not depend on the machine

	"omote/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:])) }
