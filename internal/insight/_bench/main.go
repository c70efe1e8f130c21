package main

import (
	"context"
	"fmt"
	"os"
	"runtime/pprof"
	"syscall"
)

func resources() syscall.Rusage {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return usage
}

func main() {
	if p := os.Getenv("CPUPROFILE"); p != "" {
		f, _ := os.Create(p)
		pprof.StartCPUProfile(f)
		defer pprof.StopCPUProfile()
	}
	c := newBenchWarehouseCommand()
	if err := c.ExecuteContext(context.Background()); err != nil {
		fmt.Println(err)
	}
	u := resources()
	fmt.Println("cpu", float64(u.Utime.Nano()+u.Stime.Nano())/1e9)
}
