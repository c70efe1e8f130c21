package bank

import "sync"

type writer struct{}

var theWriter = sync.OnceValue(func() *writer { return &writer{} })

func (b *Bank) comment(dst []byte, p *Person, it *item) []byte { return append(dst, "ok"...) }
