// Package xes reads and writes XES, the XML format in which event logs are
// exchanged (IEEE 1849; the older OpenXES 1.0 files are read as well).
//
// An XES log is a list of traces, one per case: a loan application, a
// complaint. A trace has attributes of its own and a list of events; an event
// has attributes such as concept:name (what happened) and time:timestamp
// (when). Everything else about the log stands in its [Header].
//
// The [Reader] streams: it holds one trace at a time and reuses its memory for
// the next, so a file of any size is read in a bounded amount of memory.
//
//	r := xes.NewReader(file)
//	defer r.Close()
//	for {
//		trace, err := r.Next()
//		if err == io.EOF {
//			break
//		}
//		if err != nil {
//			return err // every trace before the error was complete
//		}
//		for _, event := range trace.Events {
//			name, _ := event.Get(xes.KeyName)
//			...
//		}
//	}
//
// Input may be plain or gzip-compressed (found by its first bytes) and encoded
// in UTF-8, UTF-16, US-ASCII, ISO-8859-1, ISO-8859-15, Windows-1252 or
// Windows-1258. The scanner is written for XES rather than for XML in general:
// it is several times faster than encoding/xml, knows no document type
// declarations with entities (so no entity can expand), and stops with an
// [Error] that names line and byte when the input is damaged or passes one of
// the [Limits].
package xes
