package nodereport

import (
	"bytes"
	"fmt"
	"io"
	"time"
)

// Prefix begins each line of the log that is a report; the operator looks for it.
const Prefix = "coordinator-install: node report "

// RepeatEvery is after how long a report is written again that did not change: so that it is found in a log that was
// rotated, and one whose writer hangs is seen to be old.
const RepeatEvery = 30 * time.Minute

// Reporter writes a node's report into a log when it changed.
type Reporter struct {
	Log  io.Writer
	Look func() (Report, error) // what the node has now

	last      []byte
	written   time.Time
	lastError string
}

// Tick looks at the node and writes the report if it is due. An error is written once.
func (r *Reporter) Tick(now time.Time) {
	report, err := r.Look()
	text := []byte(nil)
	if err == nil {
		text, err = report.Text(LineLimit)
	}
	if err != nil {
		if said := err.Error(); said != r.lastError {
			r.lastError = said
			_, _ = fmt.Fprintln(r.Log, "coordinator-install: the operator will not know what this node has:", said)
		}
		return
	}
	r.lastError = ""
	if bytes.Equal(text, r.last) && now.Sub(r.written) < RepeatEvery {
		return
	}
	if _, err := fmt.Fprintf(r.Log, "%s%s\n", Prefix, text); err == nil {
		r.last, r.written = text, now
	}
}

// Run looks at the node at every interval, for ever.
func (r *Reporter) Run(interval time.Duration) {
	for ; ; time.Sleep(interval) {
		r.Tick(time.Now())
	}
}
