package survey

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"omote/internal/feedback/form"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// Scanner looks for harm in a file before it is kept. An error means that it could not
// tell; the file is not kept then either.
type Scanner interface {
	Scan(ctx context.Context, content []byte) (clean bool, err error)
}

// Sealed is where surveys keep what is encrypted.
func Sealed() sealed.Inventory {
	field := func(table, column string, pk ...string) sealed.Marked {
		return sealed.Marked{Column: sealed.Column{Table: table, Name: column}, PK: pk}
	}
	return sealed.Inventory{Fields: []sealed.Marked{
		field("survey_invitation", "who", "customer_id", "id"),
		field("survey_response", "answers", "customer_id", "id"), field("survey_response", "who", "customer_id", "id"),
		field("survey_file", "content", "customer_id", "response_id", "item"),
	}}
}

func filePlace(customer, response, item string) sealed.Place {
	return sealed.Place{Table: "survey_file", Column: "content", Row: customer + "\x1f" + response + "\x1f" + item}
}

// TakeFile saves a file as the answer of a question. A second one replaces the first.
func (s *Service) TakeFile(ctx context.Context, v *Session, locale, item, name string, content []byte) error {
	if v.Over != "" {
		return errs.Conflict("feedback.survey.error.over", "the questionnaire takes no more answers")
	}
	it := v.Version.Document.Item(item)
	if it == nil {
		return errs.Invalid("feedback.survey.error.item", "item", "the questionnaire has no question %q", item)
	}
	file, err := it.CheckFile(name, content)
	if err != nil {
		return err
	}
	if s.Scanner != nil {
		clean, err := s.Scanner.Scan(ctx, content)
		if err == nil && !clean {
			err = errs.Invalid("feedback.form.error.file_harm", item, "the file holds something harmful")
		}
		if err != nil {
			return err
		}
	}
	file.ID = uuid.NewString()
	err = s.DB.Write(v.scope(ctx), func(ctx context.Context, tx store.Tx) error {
		return s.putFile(ctx, tx, v.Customer, v.responseID(), item, file, content)
	})
	if err != nil {
		return fmt.Errorf("keep a file: %w", err)
	}
	r, err := s.intake.save(v.scope(ctx), v, locale, form.Answers{item: {File: file}})
	if err != nil {
		return err
	}
	v.Response = r
	return nil
}

// File gives a file that answered a question, to those who may read single answers.
func (s *Service) File(ctx context.Context, survey, id string) (file *form.Attached, content []byte, err error) {
	if err := auth.Require(ctx, PermAnswers, ""); err != nil {
		return nil, nil, err
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if file, content, err = s.getFile(ctx, tx, survey, id); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "feedback.survey.file_read", Object: "survey/" + survey, Reason: id})
	})
	return file, content, err
}
