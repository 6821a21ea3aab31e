// HashiCorp's yamux, in the part of the other side. The protocol inside a stream is in lane.h.
//
//	gopeer serve|connect PORT client|server OPEN ACCEPT SIZE AT_ONCE [half-close]
//
// With half-close a side ends its direction as soon as it has said all. Without it, once it has
// also heard all: the yamux of 2019 that Debian has reads no more after its own Close.
package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
)

var halfClose = len(os.Args) > 8 && os.Args[8] == "half-close"

var noise = make([]byte, 1<<20+7919)

func body(index, size uint32) []byte {
	out := make([]byte, size)
	start := int(index) * 4099 % len(noise)
	for done := 0; done < len(out); start = 0 {
		done += copy(out[done:], noise[start:])
	}
	return out
}

// say writes the whole text of one side and ends that direction.
func say(s *yamux.Stream, index, size uint32) error {
	var head [8]byte
	binary.BigEndian.PutUint32(head[0:], index)
	binary.BigEndian.PutUint32(head[4:], size)
	if _, err := s.Write(head[:]); err != nil {
		return fmt.Errorf("write head: %w", err)
	}
	text := body(index, size)
	hash := sha256.Sum256(text)
	if _, err := s.Write(text); err != nil {
		return fmt.Errorf("write body: %w", err)
	}
	if _, err := s.Write(hash[:]); err != nil {
		return fmt.Errorf("write hash: %w", err)
	}
	if halfClose {
		return s.Close() // our half only
	}
	return nil
}

func hearHead(s *yamux.Stream) (index, size uint32, err error) {
	var head [8]byte
	if _, err = io.ReadFull(s, head[:]); err != nil {
		return 0, 0, fmt.Errorf("read head: %w", err)
	}
	return binary.BigEndian.Uint32(head[0:]), binary.BigEndian.Uint32(head[4:]), nil
}

func hearBody(s *yamux.Stream, size uint32) error {
	hash := sha256.New()
	if n, err := io.CopyN(hash, s, int64(size)); err != nil {
		return fmt.Errorf("read body at %d: %w", n, err)
	}
	var want [32]byte
	if _, err := io.ReadFull(s, want[:]); err != nil {
		return fmt.Errorf("read hash: %w", err)
	}
	if !bytes.Equal(hash.Sum(nil), want[:]) {
		return errors.New("the hash is another")
	}
	if !halfClose {
		return nil
	}
	if n, err := s.Read(want[:]); n != 0 || err != io.EOF {
		return fmt.Errorf("after the end: %d bytes, %v", n, err)
	}
	return nil
}

// first waits for both, as arguments, and returns the first failure.
func first(one, two error) error {
	if one != nil {
		return one
	}
	return two
}

// end closes what say has left open.
func end(s *yamux.Stream, err error) error {
	if err == nil && !halfClose {
		return s.Close()
	}
	return err
}

func asOpener(session *yamux.Session, index, size uint32) error {
	s, err := session.OpenStream()
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	said := make(chan error, 1)
	go func() { said <- say(s, index, size) }()
	answer, count, err := hearHead(s)
	if err == nil && answer != index {
		err = fmt.Errorf("asked %d, answered %d", index, answer)
	}
	if err == nil {
		err = hearBody(s, count)
	}
	return end(s, first(err, <-said))
}

func asAcceptor(s *yamux.Stream, size uint32) error {
	index, count, err := hearHead(s)
	if err != nil {
		return err
	}
	said := make(chan error, 1)
	go func() { said <- say(s, index, size) }()
	return end(s, first(hearBody(s, count), <-said))
}

func work(session *yamux.Session, open, accept, atOnce int, size uint32) error {
	var all sync.WaitGroup
	failures := make(chan error, open+accept+1)
	all.Add(accept)
	go func() {
		for i := 0; i < accept; i++ {
			s, err := session.AcceptStream()
			if err != nil {
				failures <- fmt.Errorf("accept %d: %w", i, err)
				for ; i < accept; i++ {
					all.Done()
				}
				return
			}
			go func() {
				defer all.Done()
				if err := asAcceptor(s, size); err != nil {
					failures <- err
				}
			}()
		}
	}()
	slots := make(chan struct{}, atOnce)
	for i := 0; i < open; i++ {
		slots <- struct{}{}
		all.Add(1)
		go func(index uint32) {
			defer all.Done()
			if err := asOpener(session, index, size); err != nil {
				failures <- err
			}
			<-slots
		}(uint32(i))
	}
	all.Wait()
	select {
	case err := <-failures:
		return err
	default:
		return nil
	}
}

func run() error {
	if len(os.Args) < 8 {
		return errors.New("usage: gopeer serve|connect PORT client|server OPEN ACCEPT SIZE AT_ONCE")
	}
	var numbers [8]int
	for _, i := range []int{2, 4, 5, 6, 7} {
		n, err := strconv.Atoi(os.Args[i])
		if err != nil {
			return err
		}
		numbers[i] = n
	}
	if _, err := rand.Read(noise); err != nil {
		return err
	}
	address := fmt.Sprintf("127.0.0.1:%d", numbers[2])
	var conn net.Conn
	var err error
	if os.Args[1] == "serve" {
		listener, failure := net.Listen("tcp", address)
		if failure != nil {
			return failure
		}
		fmt.Printf("port %d\n", listener.Addr().(*net.TCPAddr).Port)
		conn, err = listener.Accept()
	} else {
		conn, err = net.Dial("tcp", address)
	}
	if err != nil {
		return err
	}
	config := yamux.DefaultConfig()
	config.LogOutput = io.Discard
	make := yamux.Server
	if os.Args[3] == "client" {
		make = yamux.Client
	}
	session, err := make(conn, config)
	if err != nil {
		return err
	}
	open, accept := numbers[4], numbers[5]
	if err := work(session, open, accept, numbers[7], uint32(numbers[6])); err != nil {
		return err
	}
	if open > 0 { // whoever opens ends the connection, and reads on until the other side has
		if err := session.GoAway(); err != nil {
			return err
		}
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			return err
		}
	}
	select {
	case <-session.CloseChan():
		return nil
	case <-time.After(30 * time.Second):
		return errors.New("the other side did not close")
	}
}

func main() {
	if err := run(); err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	fmt.Println("done")
}
