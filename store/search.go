package store

import (
	"strings"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// wordsIn is the condition that all words of a parameter stand somewhere in a
// text, whatever its case and accents.
func wordsIn(text, words string) string {
	return `NOT EXISTS (SELECT FROM unnest(` + words + `::text[]) w WHERE strpos(` + unaccented(text) + `, w) = 0)`
}

// unaccented is a text as it is searched and sorted: without case and accents.
func unaccented(text string) string {
	return `translate(lower(` + text + `), 'áàâäãåéèêëíìîïóòôöõúùûüñç', 'aaaaaaeeeeiiiiooooouuuunc')`
}

// searchWords are the words that a person looks for.
func searchWords(text string) []string { return strings.Fields(loyalty.SearchName(text)) }
