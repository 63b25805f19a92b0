package main

import (
	"bufio"
	"net"
	"strings"
	"testing"
	"time"
)

// serve runs a server on the loopback, which needs no privilege, and returns its address.
func serve(t *testing.T, handle func(*net.TCPConn) error) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go accept(listener, handle)
	return listener.Addr().String()
}

func TestAnAnswerProvesAllData(t *testing.T) {
	lines, err := ask(net.Dialer{}, serve(t, answer), 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(lines, "; "); got != "peer 127.0.0.1; local 127.0.0.1" {
		t.Errorf("got %q", got)
	}
}

func TestBadAnswersAreTold(t *testing.T) {
	cases := map[string]struct{ answer, complaint string }{
		"other data": {"peer x\n\nnonsense", "the 8 bytes that came back are not those sent"},
		"a loop":     {"loop at web outbound\n", "loop at web outbound"},
		"nothing":    {"", "EOF"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			address := serve(t, func(connection *net.TCPConn) error {
				reader := bufio.NewReader(connection)
				if _, err := reader.Discard(dataSize + len("ask 40000\n")); err != nil {
					return err
				}
				_, err := connection.Write([]byte(c.answer))
				return err
			})
			_, err := ask(net.Dialer{}, address, 5*time.Second)
			if err == nil || !strings.Contains(err.Error(), c.complaint) {
				t.Errorf("got %v, want %q", err, c.complaint)
			}
		})
	}
}

func TestSilenceIsATimeout(t *testing.T) {
	done := make(chan struct{})
	defer close(done)
	address := serve(t, func(*net.TCPConn) error { <-done; return nil })
	if _, err := ask(net.Dialer{}, address, 50*time.Millisecond); !timedOut(err) {
		t.Errorf("got %v, want a timeout", err)
	}
}

func TestAProxyKnowsItselfInALoop(t *testing.T) {
	p := &proxy{name: "web"}
	client, server := net.Pipe()
	go client.Write([]byte("via other inbound 10.0.0.1:80\nvia web outbound 10.0.0.2:80\nask 0\n"))
	lines, request, err := readLines(bufio.NewReader(server))
	if err != nil || request != "ask 0" {
		t.Fatal(request, err)
	}
	if !p.wasHere(lines, "outbound") || p.wasHere(lines, "inbound") {
		t.Errorf("lines %q", lines)
	}
}

func TestProxySettings(t *testing.T) {
	good := []string{"-name", "web", "-as", "ambient", "-peers", "10.0.0.0/8", "-service", "10.1.0.1:80=10.0.0.2:8080"}
	p, err := parseProxy(good)
	if err != nil || len(p.peers) != 1 || len(p.services) != 1 || !p.kind.tunnels {
		t.Errorf("%+v, %v", p, err)
	}
	for _, bad := range [][]string{{"-as", "nothing"}, {"-as", "sidecar", "-peers", "x"}, {"-as", "sidecar", "-service", "x"}} {
		if _, err := parseProxy(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
