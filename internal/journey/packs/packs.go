// Package packs holds the journey module's content: templates as editable YAML.
package packs

import _ "embed"

// JourneyTemplates are the twelve journeys of retail banks.
//
//go:embed journey_templates.yaml
var JourneyTemplates []byte

// JourneyLayers are the cells of the blueprint for templates that have them.
//
//go:embed journey_layers.yaml
var JourneyLayers []byte
