package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	events "github.com/docker/go-events"
)

// tunedPipeline is docker/go-events used as well as one can: the event is the request body that
// leaves, made once and shared by all endpoints; connections are kept; nothing is re-serialised.
func tunedPipeline(urls []string, inFlight int) pipeline {
	var sinks []events.Sink
	for _, address := range urls {
		sinks = append(sinks, events.NewQueue(newEndpoint(address, inFlight)))
	}
	broadcaster := events.NewBroadcaster(sinks...)

	return func(body []byte) (int, error) {
		var envelope struct {
			Events []json.RawMessage `json:"events"`
		}
		if err := json.Unmarshal(body, &envelope); err != nil {
			return 0, err
		}
		for _, event := range envelope.Events {
			if err := broadcaster.Write(wrap(event)); err != nil {
				return 0, err
			}
		}
		return len(envelope.Events), nil
	}
}

func wrap(event json.RawMessage) []byte {
	body := make([]byte, 0, len(event)+len(`{"events":[]}`))
	body = append(body, `{"events":[`...)
	body = append(body, event...)
	return append(body, `]}`...)
}

// newEndpoint is a retrying sink, or several behind a channel: go-events itself knows only one
// attempt at a time.
func newEndpoint(address string, inFlight int) events.Sink {
	transport := &http.Transport{
		DisableCompression:  true,
		MaxIdleConns:        inFlight,
		MaxIdleConnsPerHost: inFlight,
	}
	sink := newHTTPSink(address, &http.Client{Transport: transport, Timeout: time.Second})
	if inFlight == 1 {
		return events.NewRetryingSink(sink, events.NewBreaker(10, time.Second))
	}
	workers := &workers{waiting: make(chan events.Event)}
	for i := 0; i < inFlight; i++ {
		retrying := events.NewRetryingSink(sink, events.NewBreaker(10, time.Second))
		go func() {
			for event := range workers.waiting {
				_ = retrying.Write(event)
			}
		}()
	}
	return workers
}

type workers struct{ waiting chan events.Event }

func (w *workers) Write(event events.Event) error {
	w.waiting <- event
	return nil
}

func (w *workers) Close() error {
	close(w.waiting)
	return nil
}

// httpSink posts bodies. What all requests have in common is made once.
type httpSink struct {
	client *http.Client
	url    *url.URL
	header http.Header
}

func newHTTPSink(address string, client *http.Client) *httpSink {
	parsed, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	header := http.Header{
		"Content-Type": {"application/vnd.docker.distribution.events.v1+json"},
	}
	return &httpSink{client: client, url: parsed, header: header}
}

func (s *httpSink) Write(event events.Event) error {
	body := event.([]byte)
	request := &http.Request{
		Method:        http.MethodPost,
		URL:           s.url,
		Host:          s.url.Host,
		Header:        s.header,
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
		ProtoMajor:    1,
		ProtoMinor:    1,
	}
	response, err := s.client.Do(request)
	if err != nil {
		return err
	}
	// A connection is kept only if its answer was read to the end.
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return fmt.Errorf("answered %s", response.Status)
	}
	return nil
}

func (s *httpSink) Close() error { return nil }
