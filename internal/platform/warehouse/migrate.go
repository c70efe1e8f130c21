package warehouse

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

const schemaName = "warehouse"

//go:embed schema
var schemaFiles embed.FS

// migrate applies the table definitions that are not applied yet, each in its
// own transaction.
func (w *Warehouse) migrate(ctx context.Context) error {
	err := w.inTx(ctx, func(tx writeTx) error {
		if err := tx.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS warehouse`); err != nil {
			return err
		}
		return tx.Exec(ctx, `CREATE TABLE IF NOT EXISTS warehouse.migration (name VARCHAR(200) PRIMARY KEY)`)
	})
	if err != nil {
		return err
	}
	files, err := fs.Glob(schemaFiles, w.engine.Migrations()+"/*.sql")
	if err != nil {
		return err
	}
	slices.Sort(files)
	for _, f := range files {
		if err := w.migrateOne(ctx, f); err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
	}
	return nil
}

func (w *Warehouse) migrateOne(ctx context.Context, file string) error {
	text, err := schemaFiles.ReadFile(file)
	if err != nil {
		return err
	}
	name := file[strings.LastIndexByte(file, '/')+1:]
	return w.inTx(ctx, func(tx writeTx) error {
		done, err := tx.Int(ctx, `SELECT count(*) FROM warehouse.migration WHERE name = $1`, name)
		if err != nil || done > 0 {
			return err
		}
		for statement := range strings.SplitSeq(string(text), ";\n") {
			if strings.TrimSpace(statement) == "" {
				continue
			}
			if err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return tx.Exec(ctx, `INSERT INTO warehouse.migration (name) VALUES ($1)`, name)
	})
}
