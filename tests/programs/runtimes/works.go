// SPDX-License-Identifier: MIT
// What Go's runtime asks of a kernel, a line each; the same on every kernel.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// Goroutines over channels, more than there are threads.
func channels() string {
	in, out := make(chan int), make(chan int)
	var wg sync.WaitGroup
	for w := 0; w < 1000; w++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for v := range in {
				out <- v * v
			}
		}()
	}
	go func() {
		for i := 0; i < 10000; i++ {
			in <- i
		}
		close(in)
		wg.Wait()
		close(out)
	}()
	sum := 0
	for v := range out {
		sum += v
	}
	return fmt.Sprint(sum)
}

// A loop without calls is preempted by a signal, or this never ends.
func preemption() string {
	runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(runtime.NumCPU())
	var stop int32
	go func() {
		time.Sleep(20 * time.Millisecond)
		atomic.StoreInt32(&stop, 1)
	}()
	for atomic.LoadInt32(&stop) == 0 {
	}
	return "ended"
}

// Memory is taken, given back and taken again by several threads while it is collected.
func collector() string {
	debug.SetGCPercent(20)
	var wg sync.WaitGroup
	for w := 0; w < 4; w++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var keep [64][]byte
			for i := 0; i < 3000; i++ {
				b := make([]byte, 1+i*37%40000)
				b[len(b)-1] = byte(i)
				keep[i%len(keep)] = b
			}
		}()
	}
	wg.Wait()
	debug.FreeOSMemory()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return fmt.Sprint("collected ", s.NumGC > 3)
}

func depth(n int) int {
	var pad [200]byte
	pad[n%200] = 1
	if n == 0 {
		return int(pad[0])
	}
	return depth(n-1) + int(pad[n%200])
}

// A page that is not there becomes a panic of the language.
func nilPointer() (text string) {
	defer func() {
		var e runtime.Error
		err, _ := recover().(error)
		text = fmt.Sprint(errors.As(err, &e), " ", err)
	}()
	var p *struct{ a [100]int }
	return fmt.Sprint(p.a[3])
}

func children() string {
	var out bytes.Buffer
	cmd := exec.Command("sh", "-c", "cat; echo error >&2; exit 3")
	cmd.Stdin = bytes.NewReader(bytes.Repeat([]byte("x"), 200000))
	cmd.Stdout, cmd.Stderr = &out, io.Discard
	err := cmd.Run()
	killed := exec.Command("sleep", "100")
	check(killed.Start())
	check(killed.Process.Signal(syscall.SIGTERM))
	return fmt.Sprint(out.Len(), " ", err, " ", killed.Wait())
}

func manyChildren() string {
	var wg sync.WaitGroup
	var ok int32
	for i := 0; i < 16; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if exec.Command("true").Run() == nil {
				atomic.AddInt32(&ok, 1)
			}
		}()
	}
	wg.Wait()
	return fmt.Sprint(ok)
}

// The poller: sockets of many goroutines on one epoll, deadlines, half closing.
func sockets() string {
	dir, err := os.MkdirTemp("", "go")
	check(err)
	defer os.RemoveAll(dir)
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	check(err)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(c, c); c.Close() }()
		}
	}()
	var wg sync.WaitGroup
	var total int64
	for i := 0; i < 50; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c, err := net.Dial("unix", filepath.Join(dir, "s"))
			check(err)
			go func() {
				c.Write(bytes.Repeat([]byte("y"), 100000))
				c.(*net.UnixConn).CloseWrite()
			}()
			n, err := io.Copy(io.Discard, c)
			check(err)
			atomic.AddInt64(&total, n)
		}()
	}
	wg.Wait()
	l.Close()
	a, b := net.Pipe()
	a.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	_, err = a.Read(make([]byte, 1))
	b.Close()
	return fmt.Sprint(total, " ", err)
}

func signals() string {
	c := make(chan os.Signal, 10)
	signal.Notify(c, syscall.SIGUSR1, syscall.SIGHUP)
	for i := 0; i < 3; i++ {
		check(syscall.Kill(os.Getpid(), syscall.SIGUSR1))
		<-c
	}
	check(syscall.Kill(os.Getpid(), syscall.SIGHUP))
	return fmt.Sprint(<-c)
}

func timers() string {
	start := time.Now()
	var wg sync.WaitGroup
	for i := 0; i < 1000; i++ {
		wg.Add(1)
		time.AfterFunc(time.Duration(i%50)*time.Millisecond, wg.Done)
	}
	wg.Wait()
	return fmt.Sprint(time.Since(start) >= 49*time.Millisecond)
}

// Calls that block take a thread each.
func threads() string {
	var wg sync.WaitGroup
	var r, w [100]int
	for i := range r {
		var p [2]int
		check(syscall.Pipe(p[:]))
		r[i], w[i] = p[0], p[1]
		wg.Add(1)
		go func(fd int) {
			defer wg.Done()
			syscall.Read(fd, make([]byte, 1))
		}(r[i])
	}
	time.Sleep(50 * time.Millisecond)
	for i := range w {
		syscall.Write(w[i], []byte("z"))
	}
	wg.Wait()
	return "all back"
}

func main() {
	if len(os.Args) > 1 {
		select {} // nobody will ever wake us: the runtime says so
	}
	for _, part := range []struct {
		name string
		fn   func() string
	}{
		{"channels", channels}, {"preemption", preemption}, {"collector", collector},
		{"stack", func() string { return fmt.Sprint(depth(100000)) }},
		{"nil", nilPointer}, {"children", children}, {"many children", manyChildren},
		{"sockets", sockets}, {"signals", signals}, {"timers", timers}, {"threads", threads},
	} {
		fmt.Println(part.name+":", part.fn())
	}
}
