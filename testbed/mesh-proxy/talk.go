package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
)

// The talk between client and application. Proxies put lines before it:
//
//	client       ask SIZE, SIZE bytes
//	application  the lines of the proxies, "peer ADDRESS", "local ADDRESS", an empty line, and the
//	             bytes turned round
//
// So an answer proves that both ways carried all data, and tells which way that was.

// dataSize is many packets' worth, so that a path which only carries small ones fails.
const dataSize = 40_000

// longestTalk ends what a broken path leaves hanging.
const longestTalk = 10 * time.Second

func runApp(arguments []string) error {
	if len(arguments) == 0 {
		return errors.New("usage: mesh-proxy app PORT [PORT]")
	}
	failed := make(chan error)
	for _, port := range arguments {
		for _, network := range networks {
			listener, err := net.Listen(network, ":"+port)
			if err != nil {
				return err
			}
			go func() { failed <- accept(listener, answer) }()
		}
	}
	fmt.Println("ready")
	return <-failed
}

var networks = []string{"tcp4", "tcp6"}

func accept(listener net.Listener, serve func(*net.TCPConn) error) error {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer connection.Close()
			connection.SetDeadline(time.Now().Add(longestTalk))
			if err := serve(connection.(*net.TCPConn)); err != nil {
				fmt.Fprintf(os.Stderr, "%s from %s: %v\n", connection.LocalAddr(), connection.RemoteAddr(), err)
			}
		}()
	}
}

// answer is the application.
func answer(connection *net.TCPConn) error {
	reader := bufio.NewReader(connection)
	lines, request, err := readLines(reader)
	if err != nil {
		return err
	}
	size, err := strconv.Atoi(strings.TrimPrefix(request, "ask "))
	if err != nil || size < 0 || size > dataSize {
		return fmt.Errorf("%q is not a request", request)
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(reader, data); err != nil {
		return err
	}
	lines = append(lines, "peer "+host(connection.RemoteAddr()), "local "+host(connection.LocalAddr()), "", "")
	_, err = connection.Write(append([]byte(strings.Join(lines, "\n")), turned(data)...))
	return err
}

// readLines reads what proxies said, up to the first line that is not theirs.
func readLines(reader *bufio.Reader) (lines []string, other string, err error) {
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			return nil, "", err
		}
		line = strings.TrimSuffix(line, "\n")
		if !strings.HasPrefix(line, "via ") {
			return lines, line, nil
		}
		lines = append(lines, line)
	}
}

func runAsk(arguments []string, out io.Writer) error {
	flags := flag.NewFlagSet("ask", flag.ContinueOnError)
	timeout := flags.Duration("timeout", time.Second, "how long to wait for the whole answer")
	from := flags.String("from", "", "address to ask from")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("usage: mesh-proxy ask [-timeout 1s] [-from ADDRESS] ADDRESS:PORT")
	}
	dialer := net.Dialer{}
	if *from != "" {
		source, err := netip.ParseAddr(*from)
		if err != nil {
			return err
		}
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(source, 0))
	}
	lines, err := ask(dialer, flags.Arg(0), *timeout)
	if timedOut(err) {
		return fmt.Errorf("%s: timed out: no answer in %s", flags.Arg(0), *timeout)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, strings.Join(lines, "\n"))
	return err
}

func ask(dialer net.Dialer, target string, timeout time.Duration) ([]string, error) {
	deadline := time.Now().Add(timeout)
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	connection, err := dialer.DialContext(ctx, "tcp", target)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	connection.SetDeadline(deadline)
	data := numbered(dataSize)
	go connection.Write(append([]byte(fmt.Sprintf("ask %d\n", dataSize)), data...))
	reader := bufio.NewReader(connection)
	var lines []string
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			return nil, err
		}
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			break
		}
		if strings.HasPrefix(line, "loop ") {
			return nil, errors.New(line)
		}
		lines = append(lines, line)
	}
	returned, err := io.ReadAll(reader)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(returned, turned(data)) {
		return nil, fmt.Errorf("%s: the %d bytes that came back are not those sent", target, len(returned))
	}
	return lines, nil
}

func timedOut(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

// numbered is data in which no part looks like another.
func numbered(size int) []byte {
	var data []byte
	for number := 0; len(data) < size; number++ {
		data = strconv.AppendInt(data, int64(number), 36)
	}
	return data[:size]
}

func turned(data []byte) []byte {
	result := make([]byte, len(data))
	for index, value := range data {
		result[len(data)-1-index] = ^value
	}
	return result
}

func host(address net.Addr) string {
	return address.(*net.TCPAddr).AddrPort().Addr().Unmap().String()
}
