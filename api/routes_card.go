package api

// cardRoutes are the consumer's pages: from the QR on a counter to the card.
func cardRoutes() []Route {
	return []Route{
		screen(get, "/q/:code", Open, nil, (*server).visit),
		screen(get, "/pausa", Open, nil, (*server).paused),
		screen(get, "/c/sw.js", Open, nil, (*server).cardWorker),
		screen(get, "/c/adios", Open, nil, (*server).cardErased),
		screen(get, "/c/:card", Open, nil, (*server).publicCard),
		screen(get, "/c/:secret/:card", Secret, nil, (*server).cardPage),
		screen(get, "/c/:secret/:card/app.webmanifest", Secret, nil, (*server).cardManifest),
		screen(get, "/c/:secret/:card/fragment", Secret, nil, (*server).cardFragment),
		screen(get, "/c/:secret/:card/historial", Secret, nil, (*server).cardMonth),
		screen(get, "/c/:secret/:card/datos", Secret, nil, (*server).cardData),
		screen(get, "/c/:secret/:card/events", Secret, nil, (*server).cardEvents),
		screen(post, "/c/:secret/:card/evidence", Secret, nil, (*server).cardEvidence),
		screen(post, "/c/:secret/:card/redemptions", Secret, nil, (*server).cardRedeem),
		screen(post, "/c/:secret/:card/cancellations", Secret, nil, (*server).cardCancel),
		screen(post, "/c/:secret/:card/confirmations", Secret, nil, (*server).cardConfirm),
		screen(post, "/c/:secret/:card/enrollments", Secret, nil, (*server).cardEnroll),
		screen(post, "/c/:secret/:card/messages", Secret, nil, (*server).cardMessages),
		screen(post, "/c/:secret/:card/erasure", Secret, nil, (*server).cardErase),
	}
}
