package main

import (
	"encoding/json"
	"strconv"

	"github.com/docker/distribution/notifications"
)

// registryPipeline is what registry/handlers/app.go builds from its configuration: one endpoint per
// url with the defaults (timeout 1 s, threshold 10, backoff 1 s), under one broadcaster. A registry
// writes the events of its own requests; here they come out of the envelope, one by one.
func registryPipeline(urls []string) pipeline {
	var sinks []notifications.Sink
	for i, url := range urls {
		name := "endpoint-" + strconv.Itoa(i)
		sinks = append(sinks, notifications.NewEndpoint(name, url, notifications.EndpointConfig{}))
	}
	broadcaster := notifications.NewBroadcaster(sinks...)

	return func(body []byte) (int, error) {
		var envelope notifications.Envelope
		if err := json.Unmarshal(body, &envelope); err != nil {
			return 0, err
		}
		for _, event := range envelope.Events {
			if err := broadcaster.Write(event); err != nil {
				return 0, err
			}
		}
		return len(envelope.Events), nil
	}
}
