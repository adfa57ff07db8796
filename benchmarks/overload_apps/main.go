// Go's net/http, as its documentation shows it. Each request runs in a goroutine of its own, whatever its path.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"
)

func main() {
	rounds, err := strconv.ParseFloat(os.Getenv("BENCH_ROUNDS"), 64)
	if err != nil {
		log.Fatal(err)
	}
	work := func(part float64) string {
		var digest []byte
		for i := 0; i < int(rounds*part); i++ {
			sum := sha256.Sum256(digest)
			digest = sum[:]
		}
		return hex.EncodeToString(digest)
	}
	for path, part := range map[string]float64{"/async": 1, "/def": 1, "/cheap": 0.1, "/dear": 5} {
		http.HandleFunc(path, func(part float64) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, work(part)) }
		}(part))
	}
	http.HandleFunc("/wait", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(5 * time.Millisecond)
		io.WriteString(w, work(0.03))
	})
	http.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(500 * time.Millisecond)
		io.WriteString(w, work(1))
	})
	http.HandleFunc("/upload", func(w http.ResponseWriter, r *http.Request) {
		io.ReadAll(r.Body)
		io.WriteString(w, work(1))
	})
	http.HandleFunc("/stream", func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < 3; i++ {
			io.WriteString(w, work(1.0/3))
			w.(http.Flusher).Flush()
			time.Sleep(100 * time.Millisecond)
		}
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
