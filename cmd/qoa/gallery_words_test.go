package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The document of the pictures says what there is, and has them all.
func TestTheGallerysDocumentIsTrue(t *testing.T) {
	folder := filepath.Join("..", "..", "docs")
	if os.Getenv("QOA_SCREENSHOTS") != "" {
		require.NoError(t, os.WriteFile(filepath.Join(folder, "screenshots.md"), []byte(galleryPage()), 0o644))
	}
	page, err := os.ReadFile(filepath.Join(folder, "screenshots.md"))
	require.NoError(t, err)
	assert.Equal(t, galleryPage(), string(page), "run `make screenshots`")
	kept, err := filepath.Glob(filepath.Join(folder, "screenshots", "*"))
	require.NoError(t, err)
	for _, c := range chapters {
		for _, p := range c.pictures {
			for _, f := range p.files() {
				assert.Contains(t, kept, filepath.Join(folder, "screenshots", f), "run `make screenshots`")
			}
		}
	}
}

func (p picture) files() (all []string) {
	for _, screen := range []string{"phone", "desk"} {
		all = append(all, p.name+"-"+screen+".webp", p.name+"-"+screen+"-dark.webp")
	}
	return all
}

// galleryPage is docs/screenshots.md.
func galleryPage() string {
	var b strings.Builder
	b.WriteString("# Screenshots\n\nEvery page with the demo data, on a phone (360 pixels) and on a desk (1280), in light and in dark: `make screenshots` takes them anew. Long pages are cut.\n")
	for _, c := range chapters {
		fmt.Fprintf(&b, "\n## %s\n", c.title)
		for _, p := range c.pictures {
			f := p.files()
			fmt.Fprintf(&b, "\n### %s\n\n<img src=\"screenshots/%s\" width=\"180\" alt=\"phone\"> <img src=\"screenshots/%s\" width=\"180\" alt=\"phone, dark\"> <img src=\"screenshots/%s\" width=\"400\" alt=\"desk\"> <img src=\"screenshots/%s\" width=\"400\" alt=\"desk, dark\">\n",
				p.caption, f[0], f[1], f[2], f[3])
		}
	}
	return b.String()
}
