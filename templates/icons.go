package templates

import (
	"fmt"
	"html/template"
)

// icon draws one icon of the house set: 24 units, round strokes, the colour of
// the text around it. It is decoration: the words beside it carry the meaning.
func icon(name string) (template.HTML, error) {
	var d string
	switch name {
	case "gift":
		d = `<path d="M4 11h16v9H4zM3 7h18v4H3zM12 7v13M12 7S8 7 7.5 4.8C7.2 3 9.8 2.3 12 7zm0 0s4 0 4.5-2.2C16.8 3 14.2 2.3 12 7z"/>`
	case "store":
		d = `<path d="M4 10v10h16V10M3 9l2-5h14l2 5M3 9a3 3 0 0 0 6 0 3 3 0 0 0 6 0 3 3 0 0 0 6 0M10 20v-5h4v5"/>`
	case "check":
		d = `<path d="m5 12.5 4.5 4.5L19 7"/>`
	case "alert":
		d = `<path d="M12 4 2.5 20h19zM12 10v4.5M12 17.3v.2"/>`
	case "clock":
		d = `<circle cx="12" cy="12" r="8.5"/><path d="M12 7.5V12l3 2"/>`
	case "chat":
		d = `<path d="M4 19.5 5.3 16A8 8 0 1 1 8.2 18.7z"/><path d="M8.5 11h.01M12 11h.01M15.5 11h.01"/>`
	case "qr":
		d = `<path d="M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2.5v2.5M20 14v6h-3.5M14 20v-.5"/>`
	case "bag":
		d = `<path d="M5 8h14l1 12H4zM9 8V7a3 3 0 0 1 6 0v1"/>`
	case "print":
		d = `<path d="M7 9V4h10v5M7 17H4v-8h16v8h-3M7 14h10v6H7z"/>`
	case "chart":
		d = `<path d="M4 20V4M4 20h16M8.5 16v-5M13 16V7M17.5 16v-7"/>`
	case "shield":
		d = `<path d="M12 3 4.5 6v5.5c0 4.5 3 8 7.5 9.5 4.5-1.5 7.5-5 7.5-9.5V6zM9 12l2.2 2.2L15.2 10"/>`
	case "people":
		d = `<circle cx="9" cy="8" r="3.5"/><path d="M2.5 20a6.5 6.5 0 0 1 13 0M16 4.8a3.5 3.5 0 0 1 0 6.4M18 14.5a6.5 6.5 0 0 1 3.5 5.5"/>`
	case "send":
		d = `<path d="M4 12 20 4l-5 16-3.5-6.5zM11.5 13.5 20 4"/>`
	case "code":
		d = `<path d="m8 8-4 4 4 4M16 8l4 4-4 4M13.5 5l-3 14"/>`
	case "out":
		d = `<path d="M14 4h6v6M20 4l-9 9M18 14v6H4V6h6"/>`
	case "menu":
		d = `<path d="M4 7h16M4 12h16M4 17h16"/>`
	case "back":
		d = `<path d="M20 12H5M11 6l-6 6 6 6"/>`
	case "phone":
		d = `<rect x="6.5" y="2.5" width="11" height="19" rx="2.5"/><path d="M10.5 18.5h3"/>`
	case "dice":
		d = `<rect x="3.5" y="3.5" width="17" height="17" rx="4"/><path d="M8.5 8.5h.01M15.5 8.5h.01M12 12h.01M8.5 15.5h.01M15.5 15.5h.01"/>`
	case "camera":
		d = `<path d="M3 8h4l2-3h6l2 3h4v11H3z"/><circle cx="12" cy="13" r="3.6"/>`
	case "torch":
		d = `<path d="M13 2.5 5 14h6l-1 7.5L18.5 10h-6z"/>`
	case "sound": // its waves go when it is off
		d = `<path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5z"/><path class="waves" d="M15.5 9a4.5 4.5 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11"/>`
	default:
		return "", fmt.Errorf("no icon %q", name)
	}
	//nolint:gosec // constant markup, no input
	return template.HTML(`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">` + d + `</svg>`), nil
}
