// redirect-listener answers HTTP requests with how they reached it: the port it listened on, the
// destination that the client had asked for before any redirection in this network namespace, and
// the client's address; behind a real proxy also the identity of the client, as the proxy tells it.
// On port 15006 it stands for a mesh's proxy, on others for the application:
// the answer tells which of the two took the request.
//
// Called by the name fetch it is the client for such requests.
//
// Usage: redirect-listener PORT...
//
//	fetch [-timeout 3s] [-host NAME] URL
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

type connectionKey struct{}

// clientCertificate is the header in which Envoy tells an application whose certificate the client
// of a mutual TLS connection has shown.
const clientCertificate = "X-Forwarded-Client-Cert"

func main() {
	if filepath.Base(os.Args[0]) == "fetch" {
		os.Exit(fetch(os.Args[1:], os.Stdout, os.Stderr))
	}
	if len(os.Args) < 2 {
		log.Fatal("usage: redirect-listener PORT...")
	}
	failed := make(chan error)
	for _, argument := range os.Args[1:] {
		port, err := strconv.ParseUint(argument, 10, 16)
		if err != nil || port == 0 {
			log.Fatalf("redirect-listener: %q is not a port: 1 to 65535", argument)
		}
		listener, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
		if err != nil {
			log.Fatalf("redirect-listener: %v", err)
		}
		log.Printf("listening on port %d", port)
		go func() { failed <- newServer().Serve(listener) }()
	}
	log.Fatalf("redirect-listener: %v", <-failed)
}

func newServer() *http.Server {
	return &http.Server{
		Handler:           http.HandlerFunc(answer),
		ReadHeaderTimeout: 5 * time.Second,
		ConnContext: func(ctx context.Context, connection net.Conn) context.Context {
			return context.WithValue(ctx, connectionKey{}, connection)
		},
	}
}

// answer writes one "key value" line for each fact, so that a shell can read it without a parser.
func answer(w http.ResponseWriter, r *http.Request) {
	connection := r.Context().Value(connectionKey{}).(*net.TCPConn)
	original, err := intended(connection)
	if err != nil {
		http.Error(w, fmt.Sprintf("redirect-listener: original destination: %v", err), http.StatusInternalServerError)
		return
	}
	_, port, err := net.SplitHostPort(connection.LocalAddr().String())
	if err != nil {
		http.Error(w, fmt.Sprintf("redirect-listener: local address: %v", err), http.StatusInternalServerError)
		return
	}
	log.Printf("%s %s from %s to %s on port %s", r.Method, r.URL, r.RemoteAddr, original, port)
	fmt.Fprintf(w, "answered-by %s\noriginal-destination %s\npeer %s\n", port, original, r.RemoteAddr)
	if identity := r.Header.Get(clientCertificate); identity != "" {
		fmt.Fprintf(w, "x-forwarded-client-cert %s\n", identity)
	}
}
