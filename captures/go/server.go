//go:build ignore

// The server of Stack Overflow question 56569911, in our own words: keepalive is on, one Read per
// connection, and a Close that never runs. With -fixed it reads to the end of file and closes.
//
//	go run server.go -listen 127.0.0.1:4001 -period 5s
package main

import (
	"flag"
	"io"
	"log"
	"net"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:4001", "address to listen on")
	period := flag.Duration("period", 5*time.Second, "keepalive period: idle time and interval alike")
	fixed := flag.Bool("fixed", false, "read until end of file, then close")
	flag.Parse()
	log.SetFlags(log.Lmicroseconds)

	address, err := net.ResolveTCPAddr("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.ListenTCP("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("listening on %s", listener.Addr())
	for {
		conn, err := listener.AcceptTCP()
		if err != nil {
			log.Fatal(err)
		}
		conn.SetKeepAlive(true)
		conn.SetKeepAlivePeriod(*period)
		if *fixed {
			go readToTheEnd(conn)
			continue
		}
		// The mistake: a deferred call runs when main returns, and this loop never lets it.
		// The pending defer also keeps conn reachable, so the garbage collector cannot close it either.
		defer conn.Close()

		buffer := make([]byte, 1024)
		n, err := conn.Read(buffer)
		log.Printf("read %d bytes %q, error %v; will not look again", n, buffer[:n], err)
	}
}

// readToTheEnd is what was missing: the client's FIN arrives as io.EOF, and Close answers it with ours.
func readToTheEnd(conn *net.TCPConn) {
	defer conn.Close()
	received, err := io.ReadAll(conn)
	log.Printf("read %d bytes %q to the end of file, error %v; closing", len(received), received, err)
}
