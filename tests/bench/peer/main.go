// Peer is what Fanfare is measured against: the same job, done by the packages that its users run
// today. It takes registry envelopes on /events, answers 202 and delivers each event to every url.
//
//	peer -mode registry  the registry's own notifications package, as the registry sets it up
//	peer -mode tuned     docker/go-events with the HTTP that one would write for speed
//
// GET /stats tells how many events it has accepted.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/sirupsen/logrus"
)

// pipeline takes the body of one request and says how many events were in it.
type pipeline func(body []byte) (events int, err error)

var accepted uint64

// ingest is the listener's handler: the body is read into a buffer of its announced size at once.
func ingest(write pipeline) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.ContentLength < 0 {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		body := make([]byte, r.ContentLength)
		if _, err := io.ReadFull(r.Body, body); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		count, err := write(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		atomic.AddUint64(&accepted, uint64(count))
		w.WriteHeader(http.StatusAccepted)
	}
}

func stats(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintf(w, `{"accepted":%d}`, atomic.LoadUint64(&accepted))
}

func main() {
	mode := flag.String("mode", "registry", "registry or tuned")
	listen := flag.String("listen", "127.0.0.1:0", "where events are posted to")
	urls := flag.String("urls", "", "where events are delivered to, separated by commas")
	inFlight := flag.Int("in-flight", 1, "attempts at once per url (tuned only)")
	flag.Parse()
	logrus.SetLevel(logrus.ErrorLevel)

	var write pipeline
	switch *mode {
	case "registry":
		write = registryPipeline(strings.Split(*urls, ","))
	case "tuned":
		write = tunedPipeline(strings.Split(*urls, ","), *inFlight)
	default:
		log.Fatalf("unknown mode %q", *mode)
	}

	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/events", ingest(write))
	mux.HandleFunc("/stats", stats)
	log.Fatal(http.Serve(listener, mux))
}
