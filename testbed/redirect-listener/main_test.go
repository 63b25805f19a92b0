package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
)

// Without redirection (these tests have no privilege to set one up) the original destination is the
// address that was asked for. The redirected case is the end-to-end suite's.
func TestAnswerNamesDestinationAndPeer(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(address, func(t *testing.T) {
			listener, err := net.Listen("tcp", address)
			if err != nil {
				t.Fatalf("the tests need IPv4 and IPv6 on the loopback: %v", err)
			}
			server := newServer()
			go server.Serve(listener)
			defer server.Close()

			var dialled net.Conn
			client := &http.Client{Transport: &http.Transport{
				DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
					var err error
					dialled, err = new(net.Dialer).DialContext(ctx, network, listener.Addr().String())
					return dialled, err
				},
			}}
			port := listener.Addr().(*net.TCPAddr).Port
			for header, told := range map[string]string{"": "", "URI=x": "x-forwarded-client-cert URI=x\n"} {
				request, err := http.NewRequest(http.MethodGet, "http://pod/", nil)
				if err != nil {
					t.Fatal(err)
				}
				request.Header.Set(clientCertificate, header)
				response, err := client.Do(request)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(response.Body)
				response.Body.Close()
				if err != nil {
					t.Fatal(err)
				}
				want := fmt.Sprintf("answered-by %d\noriginal-destination %s\npeer %s\n%s", port, listener.Addr(), dialled.LocalAddr(), told)
				if string(body) != want {
					t.Errorf("got  %q\nwant %q", body, want)
				}
			}
		})
	}
}
