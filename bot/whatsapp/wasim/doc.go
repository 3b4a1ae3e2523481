// Package wasim is a WhatsApp for tests: a server on 127.0.0.1 that unmodified
// whatsmeow clients take for the real one. They are linked by QR code, log in,
// encrypt with Signal for each other's devices, send texts and files, get
// receipts, and come back to what waited for them while they were away. And
// everything that goes wrong in life can be made to go wrong on purpose.
//
// A test starts a server, gives its own client the server's HTTP client, and
// lets phones write to it. A phone is a real client too:
//
//	s := wasim.New(t)
//	s.Redirect(bot) // *whatsmeow.Client, before Connect
//	…
//	device, err := s.Account("+5215500000000").Scan(ctx, qr) // what the bot shows
//	ana := s.NewPhone(t, "+5215511111111")
//	ana.SendText("+5215500000000", "hola")
//	require.Equal(t, "¡Hola, Ana!", ana.Next().Text)
//
// Clients of this process trust the server because whatsmeow.WACertPubKey is set
// (Trust). A client of another process needs Addr and RootHex.
//
// What the server is: the transport (websocket frames, Noise_XX_25519_AESGCM_SHA256
// with its certificates, binary XML), accounts with phone number and LID,
// linked devices, one-time keys, device lists, messages handed out to devices,
// receipts, presence, files, and a queue per device that holds each stanza until
// it is acknowledged and delivers it again with every connection till then.
// The phone itself, device 0 of each account, has keys that others encrypt to,
// but is played by the server and reads nothing.
//
// What it is not: there are no groups, newsletters, calls, history or settings
// synchronised from the phone, and no push names but those that clients announce
// (set store.Device.PushName before SendPresence). It judges nobody: bans, limits
// and refusals are faults that a test asks for.
//
// Whatever a client sends that the server does not know is refused, remembered,
// and fails the test.
//
// The package is for tests only: nothing that ships may import it.
package wasim
