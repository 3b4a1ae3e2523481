package templates

import "io"

// NoticeView is a page of one message: an expired link, a wrong address, an
// error. Texts are Spanish and say what to do next.
type NoticeView struct {
	Title   string
	Body    string
	Tone    string // "", "warn" or "error"
	Action  string // text of the button; no button when empty
	URL     string
	Chat    bool   // the button opens WhatsApp
	TraceID string // shown on errors, so that a caller can read it to us
}

// Notice renders the page.
func (s *Set) Notice(w io.Writer, v NoticeView) error { return s.render(w, "notice", "layout", v) }

// CardGone is the notice for a revoked, reissued or mistyped chat link.
// whatsAppURL opens the chat with the text "mi tarjeta".
func CardGone(whatsAppURL string) NoticeView {
	return NoticeView{
		Title:  "Este enlace ya no abre tu tarjeta",
		Body:   "Por seguridad, cada tarjeta tiene un solo enlace vigente. Tus sellos y puntos siguen guardados: pide tu enlace de nuevo y listo.",
		Tone:   "warn",
		Action: "Pide tu enlace de nuevo", URL: whatsAppURL, Chat: true,
	}
}

// CardErased is the notice for who asked to be forgotten, and was.
func CardErased() NoticeView {
	return NoticeView{
		Title:  "Borramos tus datos",
		Body:   "Ya no guardamos tu nombre, tu cumpleaños ni tus mensajes, y tu enlace dejó de abrir. Gracias por haber estado con nosotros. Si un día quieres volver, escribe hola y empiezas de cero.",
		Action: "Ir al inicio", URL: "/",
	}
}

// NotFound is the notice for an address that leads nowhere.
func NotFound() NoticeView {
	return NoticeView{
		Title:  "Aquí no hay nada",
		Body:   "La dirección no existe o se escribió distinto. Revisa que esté completa.",
		Action: "Ir al inicio", URL: "/",
	}
}

// ServerError is the notice for a failure of ours.
func ServerError(traceID string) NoticeView {
	return NoticeView{
		Title:   "Algo falló de nuestro lado",
		Body:    "No perdimos nada de lo que ya estaba guardado. Espera un momento y vuelve a intentar.",
		Tone:    "error",
		TraceID: traceID,
	}
}

// Forbidden is the notice for a page of somebody else.
func Forbidden() NoticeView {
	return NoticeView{
		Title:  "Esta página no es de tu cuenta",
		Body:   "Entraste bien, pero con una cuenta que no puede verla.",
		Tone:   "warn",
		Action: "Ir al inicio", URL: "/",
	}
}

// SessionExpired is the notice for staff whose session ended; url leads to where
// one enters again.
func SessionExpired(url string) NoticeView {
	return NoticeView{
		Title:  "Tu sesión terminó",
		Body:   "La cerramos sola para cuidar tu cuenta. Entra otra vez para seguir donde estabas.",
		Tone:   "warn",
		Action: "Entrar otra vez", URL: url,
	}
}

// LinkExpired is the notice for a tendero's link that was used or is too old.
func LinkExpired(whatsAppURL string) NoticeView {
	return NoticeView{
		Title:  "Este enlace ya no sirve",
		Body:   "Los enlaces para entrar a tu tienda duran poco. Escribe hola al WhatsApp de Qoa y te mandamos otro.",
		Tone:   "warn",
		Action: "Escribir hola", URL: whatsAppURL, Chat: true,
	}
}

// TooMany is the notice for a caller who must slow down.
func TooMany() NoticeView {
	return NoticeView{
		Title: "Vas muy rápido",
		Body:  "Recibimos muchos intentos seguidos. Espera un minuto y vuelve a intentar.",
		Tone:  "warn",
	}
}

// NoWhatsApp is the notice for who would write to the bot while none of its numbers
// is connected.
func NoWhatsApp() NoticeView {
	return NoticeView{
		Title: "Nuestro WhatsApp está en pausa",
		Body:  "Lo estamos volviendo a conectar. Escanea el código otra vez en unos minutos: tu tienda, tus sellos y tus puntos siguen aquí.",
		Tone:  "warn",
	}
}
