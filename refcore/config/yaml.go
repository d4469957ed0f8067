package config

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// item is a key of the file with the text of its value.
type item struct {
	key, text string
	null      bool
}

// byteOrderMark begins a file that some editors wrote; it would become a part of
// the first key.
const byteOrderMark = "\ufeff"

// scalars reads the top level of a YAML document. Values keep the text that
// stands there: a password 0123 is no number.
func scalars(content []byte) ([]item, error) {
	content = bytes.TrimPrefix(content, []byte(byteOrderMark))
	var decoded yaml.MapSlice // finds keys that stand twice, and aliases without an anchor
	if err := yaml.Unmarshal(content, &decoded); err != nil {
		return nil, err
	}
	file, err := parser.ParseBytes(content, 0)
	if err != nil {
		return nil, err
	}
	raw, mappings := map[string]ast.Node{}, 0
	for _, doc := range file.Docs {
		if m, ok := doc.Body.(*ast.MappingNode); ok {
			mappings++
			for _, v := range m.Values {
				raw[v.Key.GetToken().Value] = v.Value
			}
		}
	}
	if mappings > 1 {
		return nil, errors.New("it holds several documents, of which only the first would be read")
	}
	items := make([]item, 0, len(decoded))
	for _, d := range decoded {
		key, ok := d.Key.(string)
		if !ok {
			return nil, fmt.Errorf("key %v is not a name", d.Key)
		}
		text, err := scalarText(raw[key], d.Value)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", key, err)
		}
		items = append(items, item{key: key, text: text, null: d.Value == nil})
	}
	return items, nil
}

var errNoScalar = errors.New("want a single value, not a list or a mapping")

func scalarText(n ast.Node, decoded any) (string, error) {
	for { // what an anchor or a tag stands before keeps its spelling too
		if a, ok := n.(*ast.AnchorNode); ok {
			n = a.Value
		} else if t, ok := n.(*ast.TagNode); ok {
			n = t.Value
		} else {
			break
		}
	}
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, nil
	}
	switch x := decoded.(type) {
	case nil:
		return "", nil
	case string:
		return x, nil
	case bool, int, int64, uint64, float64: // behind an alias or a merge
		return fmt.Sprint(x), nil
	}
	return "", errNoScalar
}
