package access

import (
	"context"
	"crypto/sha256"
	"io"
	"log"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// How long an answer of the API server holds: a scraper comes every half a minute or so to each node of the cluster, and
// whoever loses the right is let in for this long yet. A refusal holds for less, so that a right that was just given counts soon.
const (
	allowedFor = time.Minute
	refusedFor = 5 * time.Second
	remembered = 256
)

// What is asked of the API server for callers that are not known yet: no more often than this, whoever calls.
const (
	reviewsPerSecond = 5
	reviewsAtOnce    = 20
)

// Guard lets requests pass to a handler, GET of one path only.
type Guard struct {
	Reviewer *Reviewer
	Path     string
	Next     http.Handler

	limiter  *rate.Limiter
	mutex    sync.Mutex
	verdicts map[[sha256.Size]byte]verdict
	lastSaid string
}

// verdict is the status that callers with a token get, http.StatusOK for those who may pass.
type verdict struct {
	status int
	until  time.Time
}

// NewGuard makes a guard.
func NewGuard(reviewer *Reviewer, path string, next http.Handler) *Guard {
	return &Guard{
		Reviewer: reviewer, Path: path, Next: next,
		limiter: rate.NewLimiter(reviewsPerSecond, reviewsAtOnce), verdicts: map[[sha256.Size]byte]verdict{},
	}
}

// ServeHTTP answers 401 to whom the API server does not know, 403 to whom it does not allow, 429 while too many
// unknown callers come, and 503 while it cannot be asked.
func (g *Guard) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	switch {
	case request.URL.Path != g.Path:
		refuse(response, http.StatusNotFound, "there is only "+g.Path)
		return
	case request.Method != http.MethodGet:
		response.Header().Set("Allow", http.MethodGet)
		refuse(response, http.StatusMethodNotAllowed, "allowed: GET")
		return
	}
	switch status := g.status(request.Context(), bearer(request)); status {
	case http.StatusOK:
		g.Next.ServeHTTP(response, request)
	case http.StatusUnauthorized:
		response.Header().Set("WWW-Authenticate", "Bearer")
		refuse(response, status, "the request has no bearer token that the API server knows")
	case http.StatusForbidden:
		refuse(response, status, "the account may not get the nonResourceURL "+g.Path+": bind it to the ClusterRole of the chart for readers of metrics")
	case http.StatusTooManyRequests:
		response.Header().Set("Retry-After", "1")
		refuse(response, status, "too many callers that are not known yet")
	default:
		refuse(response, status, "the API server cannot be asked who may read; the log of the container metrics says why")
	}
}

func refuse(response http.ResponseWriter, status int, text string) {
	response.Header().Set("Content-Type", "text/plain; charset=utf-8")
	response.WriteHeader(status)
	_, _ = io.WriteString(response, text+"\n")
}

// bearer is the token of a request, empty without one.
func bearer(request *http.Request) string {
	scheme, token, _ := strings.Cut(request.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// status decides about a token, from memory where it can.
func (g *Guard) status(ctx context.Context, token string) int {
	if token == "" {
		return http.StatusUnauthorized
	}
	key := sha256.Sum256([]byte(token)) // the token itself is kept nowhere
	if status, ok := g.recall(key, time.Now()); ok {
		return status
	}
	if !g.limiter.Allow() {
		return http.StatusTooManyRequests
	}
	status, err := g.review(ctx, token)
	g.say(err)
	if err != nil {
		return http.StatusServiceUnavailable
	}
	g.remember(key, status, time.Now())
	return status
}

// review asks the API server about a token.
func (g *Guard) review(ctx context.Context, token string) (int, error) {
	who, err := g.Reviewer.authenticate(ctx, token)
	if err != nil || who == nil {
		return http.StatusUnauthorized, err
	}
	allowed, err := g.Reviewer.authorize(ctx, who, "get", g.Path)
	if err != nil || !allowed {
		return http.StatusForbidden, err
	}
	return http.StatusOK, nil
}

func (g *Guard) recall(key [sha256.Size]byte, now time.Time) (int, bool) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	found, ok := g.verdicts[key]
	return found.status, ok && now.Before(found.until)
}

func (g *Guard) remember(key [sha256.Size]byte, status int, now time.Time) {
	holds := refusedFor
	if status == http.StatusOK {
		holds = allowedFor
	}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if len(g.verdicts) >= remembered {
		clear(g.verdicts)
	}
	g.verdicts[key] = verdict{status, now.Add(holds)}
}

// say logs an error once, until there is another or none.
func (g *Guard) say(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if text != "" && text != g.lastSaid {
		log.Print(text)
	}
	g.lastSaid = text
}
