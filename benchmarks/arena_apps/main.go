// Go's net/http, as its documentation shows it: the same profiles, without a framework.
package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
)

type item struct {
	ID       int      `json:"id"`
	Name     string   `json:"name"`
	Category string   `json:"category"`
	Price    int      `json:"price"`
	Quantity int      `json:"quantity"`
	Active   bool     `json:"active"`
	Tags     []string `json:"tags"`
	Rating   struct {
		Score int `json:"score"`
		Count int `json:"count"`
	} `json:"rating"`
	Total int `json:"total,omitempty"`
}

var dataset []item

func baseline(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	a, _ := strconv.Atoi(query.Get("a"))
	b, _ := strconv.Atoi(query.Get("b"))
	total := a + b
	if r.Method == http.MethodPost {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		c, _ := strconv.Atoi(string(body))
		total += c
	}
	w.Header().Set("Content-Type", "text/plain")
	fmt.Fprint(w, total)
}

func items(w http.ResponseWriter, r *http.Request) {
	count, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/json/"))
	if err != nil || count < 0 || count > len(dataset) {
		http.NotFound(w, r)
		return
	}
	m, _ := strconv.Atoi(r.URL.Query().Get("m"))
	found := make([]item, count)
	for index, each := range dataset[:count] {
		each.Total = each.Price * each.Quantity * m
		found[index] = each
	}
	w.Header().Set("Content-Type", "application/json")
	var out io.Writer = w
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		compressed := gzip.NewWriter(w)
		defer compressed.Close()
		out = compressed
	}
	json.NewEncoder(out).Encode(map[string]any{"items": found, "count": count})
}

func upload(w http.ResponseWriter, r *http.Request) {
	size, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	fmt.Fprint(w, size)
}

func main() {
	text, err := os.ReadFile("/data/dataset.json")
	if err != nil {
		log.Fatal(err)
	}
	if err := json.Unmarshal(text, &dataset); err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/baseline11", baseline)
	http.HandleFunc("/json/", items)
	http.HandleFunc("/upload", upload)
	http.Handle("/static/", http.StripPrefix("/static/", http.FileServer(http.Dir("/data/static"))))
	log.Fatal(http.ListenAndServe(":"+os.Getenv("PORT"), nil))
}
