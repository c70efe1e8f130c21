package xes_test

import (
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"omote/analytics/xes"
)

func ExampleReader() {
	const text = `<log>
	<trace>
		<string key="concept:name" value="loan 17"/>
		<event>
			<string key="concept:name" value="Application submitted"/>
			<date key="time:timestamp" value="2024-02-10T08:00:00.000+07:00"/>
		</event>
	</trace>
</log>`
	r := xes.NewReader(strings.NewReader(text))
	defer r.Close()
	for {
		trace, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		id, _ := trace.Get(xes.KeyName)
		for _, event := range trace.Events {
			name, _ := event.Get(xes.KeyName)
			at, _ := event.Get(xes.KeyTime)
			micros, err := at.Micros()
			if err != nil {
				log.Fatal(err)
			}
			fmt.Printf("%s: %s at %s\n", id.Value, name.Value, xes.AppendTime(nil, micros))
		}
	}
	// Output: loan 17: Application submitted at 2024-02-10T01:00:00.000Z
}

func ExampleWriter() {
	w := xes.NewWriter(os.Stdout, &xes.Header{})
	err := w.Write(&xes.Trace{
		Attrs: []xes.Attr{xes.String(xes.KeyName, "loan 17")},
		Events: []xes.Event{
			{Attrs: []xes.Attr{xes.String(xes.KeyName, "Signed"), xes.Date(xes.KeyTime, 0)}},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	// Output:
	// <?xml version="1.0" encoding="UTF-8"?>
	// <log xes.version="1849-2016" xes.features="nested-attributes" xmlns="http://www.xes-standard.org/">
	// 	<trace>
	// 		<string key="concept:name" value="loan 17"/>
	// 		<event>
	// 			<string key="concept:name" value="Signed"/>
	// 			<date key="time:timestamp" value="1970-01-01T00:00:00.000Z"/>
	// 		</event>
	// 	</trace>
	// </log>
}
