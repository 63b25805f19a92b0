package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"

	"spidercoordinator/testbed/destination"
)

// Ports of Istio's proxies.
const (
	outboundPort = "15001"
	inboundPort  = "15006"
	tunnelPort   = 15008
)

// proxy is one of a mesh's proxies, that of one pod.
type proxy struct {
	name     string
	kind     kind
	peers    []netip.Prefix                    // pods that are spoken to through a tunnel
	services map[netip.AddrPort]netip.AddrPort // endpoints that the control plane told it
	within   func(func() error) error          // acts in the pod's network namespace
}

// here is for a proxy that was started in its pod's network namespace.
func here(act func() error) error { return act() }

// direction is one of the ways through a proxy.
type direction struct {
	name     string
	original func(*proxy, *net.TCPConn, *bufio.Reader) (netip.AddrPort, error)
	dial     func(p *proxy, client, target netip.AddrPort) (*net.TCPConn, error)
}

var (
	outbound = direction{"outbound", (*proxy).redirected, (*proxy).dialOut}
	inbound  = direction{"inbound", (*proxy).received, (*proxy).dialApplication}
	tunnel   = direction{"tunnel", (*proxy).tunnelled, (*proxy).dialApplication}
)

func runProxy(arguments []string) error {
	p, err := parseProxy(arguments)
	if err != nil {
		return err
	}
	ways, err := p.listen()
	if err != nil {
		return err
	}
	failed := make(chan error)
	for listener, way := range ways {
		go func() { failed <- p.accept(listener, way) }()
	}
	fmt.Println("ready")
	return <-failed
}

// listen takes the proxy's ports in the pod; each listener is for one direction.
func (p *proxy) listen() (map[net.Listener]direction, error) {
	ports := map[string]direction{outboundPort: outbound, inboundPort: inbound}
	if p.kind.tunnels {
		ports[fmt.Sprint(tunnelPort)] = tunnel
	}
	found := map[net.Listener]direction{}
	err := p.within(func() error {
		for port, way := range ports {
			for _, network := range networks {
				listener, err := p.kind.listen(network, ":"+port)
				if err != nil {
					return err
				}
				found[listener] = way
			}
		}
		return nil
	})
	if err != nil {
		for listener := range found {
			err = errors.Join(err, listener.Close())
		}
		return nil, err
	}
	return found, nil
}

func (p *proxy) accept(listener net.Listener, way direction) error {
	return accept(listener, func(connection *net.TCPConn) error { return p.serve(connection, way) })
}

func parseProxy(arguments []string) (*proxy, error) {
	p := &proxy{services: map[netip.AddrPort]netip.AddrPort{}, within: here}
	flags := flag.NewFlagSet("proxy", flag.ContinueOnError)
	flags.StringVar(&p.name, "name", "", "name of the pod")
	as := flags.String("as", "", "sidecar, tproxy or ambient")
	flags.Func("peers", "range of pods that are reached by tunnel", p.addPeers)
	flags.Func("service", "an endpoint, VIP:PORT=ADDRESS:PORT", p.addService)
	if err := flags.Parse(arguments); err != nil {
		return nil, err
	}
	found, known := kinds[*as]
	if !known {
		return nil, fmt.Errorf("-as %q: sidecar, tproxy or ambient", *as)
	}
	p.kind = found
	return p, nil
}

func (p *proxy) addPeers(text string) error {
	found, err := netip.ParsePrefix(text)
	p.peers = append(p.peers, found)
	return err
}

func (p *proxy) addService(text string) error {
	virtual, real, _ := strings.Cut(text, "=")
	from, err := netip.ParseAddrPort(virtual)
	if err != nil {
		return err
	}
	p.services[from], err = netip.ParseAddrPort(real)
	return err
}

// serve passes one connection on. It first reads what earlier proxies said: a connection that has
// been here before in the same direction is a loop, which a real proxy would turn in until it fails.
func (p *proxy) serve(client *net.TCPConn, way direction) error {
	reader := bufio.NewReader(client)
	original, err := way.original(p, client, reader)
	if err != nil {
		return fmt.Errorf("original destination: %w", err)
	}
	said, request, err := readLines(reader)
	if err != nil {
		return err
	}
	if p.wasHere(said, way.name) {
		_, err := io.WriteString(client, "loop at "+p.name+" "+way.name+"\n")
		return errors.Join(errors.New("a loop"), err)
	}
	server, err := p.dial(way, destination.Unmapped(client.RemoteAddr()), original)
	if err != nil {
		return fmt.Errorf("to %s: %w", original, err)
	}
	defer server.Close()
	said = append(said, p.signature(way.name)+original.String(), request, "")
	if _, err := io.WriteString(server, strings.Join(said, "\n")); err != nil {
		return err
	}
	return join(client, reader, server)
}

// dial makes the second connection in the pod: a socket stays in the namespace that it was made in.
func (p *proxy) dial(way direction, client, target netip.AddrPort) (server *net.TCPConn, err error) {
	err = p.within(func() error {
		server, err = way.dial(p, client, target)
		return err
	})
	return server, err
}

func (p *proxy) signature(way string) string { return fmt.Sprintf("via %s %s ", p.name, way) }

func (p *proxy) wasHere(said []string, way string) bool {
	return slices.ContainsFunc(said, func(line string) bool { return strings.HasPrefix(line, p.signature(way)) })
}

// join copies both ways until the server has said all.
func join(client *net.TCPConn, reader io.Reader, server *net.TCPConn) error {
	go func() {
		io.Copy(server, reader)
		server.CloseWrite()
	}()
	_, err := io.Copy(client, server)
	return err
}

// redirected is for a connection that REDIRECT brought here.
func (p *proxy) redirected(client *net.TCPConn, _ *bufio.Reader) (netip.AddrPort, error) {
	return destination.Original(client)
}

// received is for a connection to the pod: redirected, or as it was meant (TPROXY).
func (p *proxy) received(client *net.TCPConn, _ *bufio.Reader) (netip.AddrPort, error) {
	if p.kind.transparent {
		return destination.Unmapped(client.LocalAddr()), nil
	}
	return destination.Original(client)
}

// tunnelled reads whom another proxy of the mesh wants to reach.
func (p *proxy) tunnelled(_ *net.TCPConn, reader *bufio.Reader) (netip.AddrPort, error) {
	line, err := reader.ReadString('\n')
	if err != nil {
		return netip.AddrPort{}, err
	}
	return netip.ParseAddrPort(strings.TrimSuffix(strings.TrimPrefix(line, "tunnel "), "\n"))
}

// dialOut connects to where the application wanted to go, or to the endpoint behind it.
func (p *proxy) dialOut(_, target netip.AddrPort) (*net.TCPConn, error) {
	if endpoint, known := p.services[target]; known {
		target = endpoint
	}
	isPeer := slices.ContainsFunc(p.peers, func(found netip.Prefix) bool { return found.Contains(target.Addr()) })
	if !p.kind.tunnels || !isPeer {
		return connect(netip.Addr{}, target, p.kind.outboundMark, false)
	}
	server, err := connect(netip.Addr{}, netip.AddrPortFrom(target.Addr(), tunnelPort), p.kind.outboundMark, false)
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(server, "tunnel %s\n", target)
	return server, err
}

// dialApplication connects to the pod's own application.
func (p *proxy) dialApplication(client, target netip.AddrPort) (*net.TCPConn, error) {
	if p.kind.keepsSource {
		return connect(client.Addr(), target, p.kind.inboundMark, true)
	}
	return connect(passthrough[target.Addr().Is4()], target, p.kind.inboundMark, false)
}
