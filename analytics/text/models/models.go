// Package models holds the trained models that ship with the program, so that a
// new installation reads feedback before anybody has labelled any.
//
//	vi_aspect     what a Vietnamese comment to a bank speaks of, 14 labels
//	vi_sentiment  its feeling: POSITIVE, NEGATIVE or NEUTRAL
//	en_intent     what an English message to a bank asks for, 77 labels
//
// They were trained by "omote text train-shipped" from the training parts of
// UTS2017_Bank and Banking77; LICENSES.txt names the licences. No text is
// contained in them: features are hashes and weights. A bank that has labels of
// its own should train on them; its customers speak of other things.
package models

import (
	"bytes"
	_ "embed"
	"sync"

	"omote/analytics/text/model"
)

var (
	//go:embed vi_aspect.omtx
	aspectFile []byte
	//go:embed vi_sentiment.omtx
	sentimentFile []byte
	//go:embed en_intent.omtx
	intentFile []byte
)

var (
	aspect    = sync.OnceValue(func() *model.Model { return mustRead(aspectFile) })
	sentiment = sync.OnceValue(func() *model.Model { return mustRead(sentimentFile) })
	intent    = sync.OnceValue(func() *model.Model { return mustRead(intentFile) })
)

// VietnameseAspect returns the subject model for Vietnamese.
func VietnameseAspect() *model.Model { return aspect() }

// VietnameseSentiment returns the feeling model for Vietnamese.
func VietnameseSentiment() *model.Model { return sentiment() }

// EnglishIntent returns the intent model for English.
func EnglishIntent() *model.Model { return intent() }

// mustRead reads an embedded model; the tests read each.
func mustRead(file []byte) *model.Model {
	m, err := model.Read(bytes.NewReader(file))
	if err != nil {
		panic("models: " + err.Error())
	}
	return m
}
