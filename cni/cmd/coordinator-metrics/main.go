// Command coordinator-metrics serves on a node, over TLS, the metrics of what the plugins and the installer counted there,
// and of what the node has. Only those are let in whom the API server allows to get /metrics.
//
// It runs in a container of its own, beside the installer: this one has credentials and an open port and may change
// nothing on the node, the installer may and has neither.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/expfmt"
	"golang.org/x/net/netutil"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/access"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/nodemetrics"
)

// version is that of the product; tools/release compares it with the others.
const version = "0.1.0"

const (
	mostConnections = 64
	headerDeadline  = 5 * time.Second
	answerDeadline  = 30 * time.Second
	idleDeadline    = 2 * time.Minute
	largestHeader   = 16 << 10
)

type options struct {
	listen, counters, pluginDir, accountDir, certificateDir string
	interfaces, print                                       bool
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("coordinator-metrics: ")
	given := &options{}
	flag.StringVar(&given.listen, "listen", ":9811", "address to serve on")
	flag.StringVar(&given.counters, "counters", "/host/state/counters", "the node's file of counters")
	flag.StringVar(&given.pluginDir, "plugin-dir", "/host/cni-bin", "directory of the node's CNI plugins")
	flag.StringVar(&given.accountDir, "account-dir", "/var/run/secrets/kubernetes.io/serviceaccount", "directory with the token of an account that may create TokenReviews and SubjectAccessReviews, and the API server's ca.crt")
	flag.StringVar(&given.certificateDir, "certificate-dir", "", "directory with tls.crt and tls.key; without it a certificate is made that nobody signed")
	flag.BoolVar(&given.interfaces, "interfaces", false, "count the node's interfaces, too; needs the node's network")
	flag.BoolVar(&given.print, "print", false, "write the metrics to standard output and exit; needs no account")
	flag.Parse()
	if flag.NArg() > 0 {
		log.Print("takes flags only; see --help")
		os.Exit(2)
	}
	serve := run
	if given.print {
		serve = printAll
	}
	if err := serve(given); err != nil {
		log.Print(err)
		os.Exit(1)
	}
}

// run serves until it is told to end.
func run(given *options) error {
	server, err := serverOf(given)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", given.listen)
	if err != nil {
		return fmt.Errorf("%w: choose another port by the chart's value installer.metrics.port", err)
	}
	log.Printf("serving %s on %s", metricsPath, listener.Addr())
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	err = server.ServeTLS(netutil.LimitListener(listener, mostConnections), "", "")
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// printAll writes what would be served.
func printAll(given *options) error {
	registry, err := registryOf(given)
	if err != nil {
		return err
	}
	families, err := registry.Gather()
	if err != nil {
		return err
	}
	encoder := expfmt.NewEncoder(os.Stdout, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			return err
		}
	}
	return nil
}

const metricsPath = "/metrics"

func serverOf(given *options) (*http.Server, error) {
	registry, err := registryOf(given)
	if err != nil {
		return nil, err
	}
	reviewer, err := access.NewReviewer(given.accountDir)
	if err != nil {
		return nil, err
	}
	certificates, err := access.SelfSigned("coordinator-metrics")
	if given.certificateDir != "" {
		certificates, err = access.FromDir(given.certificateDir)
	}
	if err != nil {
		return nil, err
	}
	metrics := promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
	return &http.Server{
		Handler: access.NewGuard(reviewer, metricsPath, metrics),
		// HTTP/1.1 only: one client, one request at a time, and none of HTTP/2's ways to exhaust a server.
		TLSNextProto:      map[string]func(*http.Server, *tls.Conn, http.Handler){},
		TLSConfig:         &tls.Config{GetCertificate: certificates, MinVersion: tls.VersionTLS12},
		ReadHeaderTimeout: headerDeadline, ReadTimeout: headerDeadline, WriteTimeout: answerDeadline, IdleTimeout: idleDeadline,
		MaxHeaderBytes: largestHeader,
	}, nil
}

func registryOf(given *options) (*prometheus.Registry, error) {
	collector := &nodemetrics.Collector{Counters: given.counters, PluginDir: given.pluginDir, Version: version}
	if given.interfaces {
		node, err := facts.OpenCurrent()
		if err != nil {
			return nil, fmt.Errorf("the node's network: %w", err)
		}
		collector.Kinds = func() (map[string]int, error) { return kindsOf(node) }
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry, nil
}

// kindsOf counts the interfaces of a network namespace by kind.
func kindsOf(node *facts.Namespace) (map[string]int, error) {
	links, err := node.Links()
	if err != nil {
		return nil, err
	}
	kinds := map[string]int{}
	for _, link := range links {
		if link.Attrs().Flags&net.FlagLoopback == 0 {
			kinds[link.Type()]++
		}
	}
	return kinds, nil
}
