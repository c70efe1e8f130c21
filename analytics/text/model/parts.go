package model

import "strings"

// Labels may have two parts, such as CARD#NEGATIVE: a subject and a feeling.
// Many such labels are rare while their parts are frequent, so the parts are
// learned as well, and the margin of a label is joined from its own and those
// of its parts. All three are linear in the features, so the joint margin is
// one set of weights and costs nothing when a text is scored.

// partSeparator parts a label in two.
const partSeparator = "#"

// partShare weighs the margin of each part against that of the whole label. It
// was chosen by cross-validation.
const partShare = 0.5

// partsOf numbers the parts of labels from len(labels) on. parts[k] holds the
// numbers of the two parts of label k; it is nil unless every label has two
// parts and some part is shared.
func partsOf(labels []string) (parts [][2]int32, total int) {
	number := make(map[string]int32)
	at := func(name string) int32 {
		n, ok := number[name]
		if !ok {
			n = int32(len(labels) + len(number))
			number[name] = n
		}
		return n
	}
	for _, l := range labels {
		first, second, ok := strings.Cut(l, partSeparator)
		if !ok || first == "" || second == "" {
			return nil, len(labels)
		}
		parts = append(parts, [2]int32{at("first " + first), at("second " + second)})
	}
	if len(number) >= 2*len(labels) {
		return nil, len(labels)
	}
	return parts, len(labels) + len(number)
}

// join adds the parts' weights to those of the whole labels and drops them.
func (m *linear) join(parts [][2]int32) *linear {
	k := len(parts)
	out := &linear{labels: k, w: make([]float32, len(m.w)/m.labels*k), bias: make([]float32, k)}
	sum := func(line []float32, label int) float32 {
		return line[label] + partShare*(line[parts[label][0]]+line[parts[label][1]])
	}
	for label := range parts {
		out.bias[label] = sum(m.bias, label)
	}
	for row := range len(m.w) / m.labels {
		line := m.w[row*m.labels : (row+1)*m.labels]
		for label := range parts {
			out.w[row*k+label] = sum(line, label)
		}
	}
	return out
}
