package main

import (
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"time"
)

// fetch is the client in the test box: it prints what a URL answers and says plainly when nothing
// came back in time, which is what a dropped packet looks like.
func fetch(arguments []string, out, complaints io.Writer) int {
	flags := flag.NewFlagSet("fetch", flag.ContinueOnError)
	flags.SetOutput(complaints)
	timeout := flags.Duration("timeout", 3*time.Second, "how long to wait for the whole answer")
	host := flags.String("host", "", "the Host header, the URL's own if empty")
	if err := flags.Parse(arguments); err != nil || flags.NArg() != 1 {
		fmt.Fprintln(complaints, "usage: fetch [-timeout 3s] [-host NAME] URL")
		return 2
	}
	url := flags.Arg(0)
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		fmt.Fprintf(complaints, "fetch: %v\n", err)
		return 2
	}
	request.Host = *host
	client := &http.Client{
		Timeout: *timeout,
		// Reachability is asked for, not identity: a test box has no authority to check against.
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
	}
	response, err := client.Do(request)
	if isTimeout(err) {
		fmt.Fprintf(complaints, "fetch: %s: timed out: no answer in %s\n", url, *timeout)
		return 1
	}
	if err != nil {
		fmt.Fprintf(complaints, "fetch: %v\n", err)
		return 1
	}
	defer response.Body.Close()
	if _, err := io.Copy(out, response.Body); err != nil {
		fmt.Fprintf(complaints, "fetch: %s: %v\n", url, err)
		return 1
	}
	if response.StatusCode >= http.StatusBadRequest {
		fmt.Fprintf(complaints, "fetch: %s: %s\n", url, response.Status)
		return 1
	}
	return 0
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}
