//go:build ignore

// The client of Stack Overflow question 56569911, in our own words: write "howdy", sleep, close.
// It never touches keepalive, yet net.Dial turns it on: 15 s, unless the Dialer says otherwise.
//
//	go run client.go -server 127.0.0.1:4001 -sleep 60s
package main

import (
	"flag"
	"log"
	"net"
	"time"
)

func main() {
	server := flag.String("server", "127.0.0.1:4001", "address to connect to")
	sleep := flag.Duration("sleep", 60*time.Second, "time between writing and closing")
	flag.Parse()
	log.SetFlags(log.Lmicroseconds)

	conn, err := net.Dial("tcp", *server)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := conn.Write([]byte("howdy")); err != nil {
		log.Fatal(err)
	}
	log.Printf("wrote howdy from %s", conn.LocalAddr())
	time.Sleep(*sleep)
	log.Printf("close: %v", conn.Close())
}
