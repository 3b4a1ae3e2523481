package bot_test

import (
	"context"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/bot"
	"github.com/qoa-conectados/qoa/bot/bottest"
	"github.com/qoa-conectados/qoa/flows"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/store/storetest"
	"github.com/qoa-conectados/qoa/templates"
)

func TestMain(m *testing.M) { storetest.Main(m) }

const phrase = "Quiero crear mi tarjeta de puntos de Abarrotes Lupita (K7M2QR)"

func TestPitfall21_OneMessageIsEnoughForTheCard(t *testing.T) {
	w := bottest.New(t)
	ana := w.Phone("+525512345678")
	ana.Writes("text", phrase)
	require.NoError(t, w.Runner.HandleTurns(t.Context(), ana.Person()))
	got := ana.Receives()
	require.Len(t, got, 1)
	first := got[0]

	assert.Contains(t, first.Text, "Abarrotes Lupita")
	assert.Contains(t, first.Text, "Coca-Cola 600 ml", "the call to buy names a product")
	assert.Contains(t, first.Text, "10 sellos")
	assert.Contains(t, first.Text, "Un refresco gratis")
	assert.Contains(t, first.Text, bottest.PublicURL+"/privacidad", "the notice is in the first answer")
	assert.Contains(t, first.Text, "¿Cómo te llamas?")
	assert.Equal(t, 1, strings.Count(first.Text, bottest.PublicURL+"/c/"))
	assert.Equal(t, "image", first.MediaType)
	assert.Equal(t, "card_qr", first.Media)
	assert.Less(t, utf8.RuneCountInString(first.Text), 1000, "it is a caption")

	link := first.Text[strings.Index(first.Text, bottest.PublicURL+"/c/"):]
	parts := strings.Split(strings.Fields(link)[0], "/")
	card := parts[len(parts)-1]
	assert.Equal(t, first.MediaRef, card)
	_, kind := loyalty.ParseCode(card)
	assert.Equal(t, loyalty.CardCode, kind)
	w.Do(func(tx *store.Tx) error {
		person, err := tx.OpenChatLink(t.Context(), parts[len(parts)-2], card)
		assert.Equal(t, ana.Person(), person, "the link opens her card, without a login")
		return err
	})
}

func TestOnboardingGoesOnAfterTheFirstAnswer(t *testing.T) {
	w := bottest.New(t)
	ana := w.Phone("+525512345678")
	ana.Says(phrase)
	assert.Contains(t, ana.Says("me llamo ANA pérez"), "¡Mucho gusto,")
	assert.Contains(t, ana.Says("12 de mayo"), "Anotado")
	again := ana.Says(phrase)
	assert.Contains(t, again, "Ya tenías tu tarjeta")
	assert.NotContains(t, again, "¿Cómo te llamas?")
}

func TestPitfall23_ANameIsNeverTakenForACode(t *testing.T) {
	w := bottest.New(t)
	ana := w.Phone("+525512345678")
	ana.Says(phrase)
	assert.Contains(t, ana.Says("ANA"), "¡Mucho gusto, Ana!")
}

func TestOnboardingWithoutACode(t *testing.T) {
	w := bottest.New(t)
	one := w.Phone("+525511111111")
	assert.Contains(t, one.Says("quiero mi tarjeta de puntos de abarrotes lupita"), "/c/")

	several := w.Phone("+525522222222")
	list := several.Says("quiero mi tarjeta de puntos de la tienda La Esquina")
	assert.Contains(t, list, ".* La Esquina, Norte 10")
	assert.Contains(t, list, ".* La Esquina, Sur 20")
	got := several.Says("2")
	assert.Contains(t, got, "La Esquina")
	assert.Contains(t, got, "/c/")

	article := w.Phone("+525522222223")
	assert.Contains(t, article.Says("Quiero crear mi tarjeta de puntos de La Esquina"), "Norte 10", "no grammar tells that this is a name")
	vague := w.Phone("+525522222224")
	assert.Contains(t, vague.Says("quiero una tarjeta de puntos de la tienda"), "¿De qué tienda es?")

	none := w.Phone("+525533333333")
	assert.Contains(t, none.Says("quiero mi tarjeta de puntos de Ferretería Tornillo"), "No encontré la tienda")
	assert.Contains(t, none.Says("Don Pepe"), "/c/")

	asked := w.Phone("+525544444444")
	first := asked.Says("quiero mi tarjeta")
	assert.Contains(t, first, "¿De qué tienda es?")
	assert.Contains(t, first, "/privacidad", "the first answer has the notice, whatever it says")
	assert.NotContains(t, asked.Says("K7M2QR"), "No encontré")
}

func TestAMistypedShopCodeIsSavedByTheName(t *testing.T) {
	w := bottest.New(t)
	assert.Contains(t, w.Phone("+525512345678").Says("Quiero crear mi tarjeta de puntos de Abarrotes Lupita (K7M2QX)"), "/c/")
}

func TestAClosedShopSaysSo(t *testing.T) {
	w := bottest.New(t)
	w.Do(func(tx *store.Tx) error {
		no := false
		_, err := tx.UpdateShop(t.Context(), loyalty.System(), w.Lupita.ID, store.ShopPatch{Active: &no})
		return err
	})
	got := w.Phone("+525512345678").Says(phrase)
	assert.Contains(t, got, "Abarrotes Lupita")
	assert.NotContains(t, got, "/c/")
}

func TestASecondShopIsASecondCard(t *testing.T) {
	w := bottest.New(t)
	ana := w.Ana()
	got := ana.Says("Quiero crear mi tarjeta de puntos de Miscelánea Don Pepe (" + w.DonPepe.Code + ")")
	assert.Contains(t, got, "también en *Miscelánea Don Pepe*")
	w.Do(func(tx *store.Tx) error {
		wallet, err := tx.Wallet(t.Context(), ana.Person())
		assert.Len(t, wallet.Cards, 2)
		return err
	})
}

func TestEvidenceInOneMessage(t *testing.T) {
	w := bottest.New(t)
	ana, tendero := w.Ana(), w.Phone(bottest.TenderoPhone)
	code := ana.Code()
	got := tendero.Says(code + " 2 coca chica")
	assert.Contains(t, got, "Compra registrada: 2 Coca-Cola 600 ml")
	assert.Contains(t, got, "2 sellos")
	assert.EqualValues(t, 2, ana.Stamps())
	receipt := ana.Receives()
	require.Len(t, receipt, 1, "the consumer hears of it")
	assert.Contains(t, receipt[0].Text, "Abarrotes Lupita")

	assert.Contains(t, tendero.Says(code+" 1 sabritas"), "ya se usó")
	assert.EqualValues(t, 2, ana.Stamps())
}

func TestEvidenceStepByStep(t *testing.T) {
	w := bottest.New(t)
	ana, tendero := w.Ana(), w.Phone(bottest.TenderoPhone)
	code := ana.Code()
	assert.Contains(t, tendero.Says(code), "¿Qué compró?")
	which := tendero.Says("3 cocas")
	assert.Contains(t, which, "*1.* Coca-Cola 600 ml")
	assert.Contains(t, which, "*2.* Coca-Cola 2 L")
	assert.Contains(t, tendero.Says("la 2"), "Compra registrada: 3 Coca-Cola 2 L")
	assert.EqualValues(t, 3, ana.Stamps())
}

func TestEvidenceThatCannotBe(t *testing.T) {
	w := bottest.New(t)
	ana, tendero := w.Ana(), w.Phone(bottest.TenderoPhone)
	code := ana.Code()

	wrong := code[:8] + "0"
	if _, kind := loyalty.ParseCode(wrong); kind != loyalty.NotACode {
		wrong = code[:8] + "1"
	}
	assert.Contains(t, tendero.Says(wrong+" 2 sabritas"), "No encontré el código", "mistyped")
	tendero.Says("cancelar")

	nobodys := loyalty.FormatCode(loyalty.NewCode(loyalty.EvidenceCode, storetest.Rand(99)))
	assert.Contains(t, tendero.Says(nobodys+" 2 sabritas"), "No encontré el código", "of nobody")
	tendero.Says("cancelar")

	assert.Contains(t, tendero.Says(code+" 2 tornillos"), "No conozco")
	assert.Contains(t, tendero.Says("0 sabritas"), "Cuántas piezas")
	assert.Contains(t, tendero.Says("1"), "Compra registrada: 1 Sabritas")
	assert.EqualValues(t, 1, ana.Stamps())

	ana.Receives()
	late := ana.Code()
	w.Clock.Advance(25 * time.Hour)
	assert.Contains(t, tendero.Says(late+" 2 sabritas"), "ya venció")
	assert.EqualValues(t, 1, ana.Stamps())
}

func TestAProductOutsideOfCampaignsIsRecordedAndSaysSo(t *testing.T) {
	w := bottest.New(t)
	ana, tendero := w.Ana(), w.Phone(bottest.TenderoPhone)
	assert.Contains(t, tendero.Says(ana.Code()+" 1 marías"), "no sumó puntos")
	assert.Empty(t, ana.Receives(), "nothing earned is no reason to write")
}

func TestATenderoOfTwoShopsSaysWhich(t *testing.T) {
	w := bottest.New(t)
	ana, chava := w.Ana(), w.Phone(bottest.EsquinaPhone)
	assert.Contains(t, chava.Says(ana.Code()+" 2 sabritas"), "¿En cuál de tus tiendas?")
	assert.Contains(t, chava.Says("1"), "Compra registrada: 2 Sabritas")
	assert.EqualValues(t, 2, ana.Stamps())
}

func TestAConsumersCodeIsNoKeyInAConsumersHands(t *testing.T) {
	w := bottest.New(t)
	ana := w.Ana()
	got := ana.Says(ana.Code() + " 2 cocas")
	assert.NotContains(t, got, "registrada")
	assert.Zero(t, ana.Stamps())
}

func TestBajaStopsWhatTheBotStarts(t *testing.T) {
	w := bottest.New(t)
	ana, tendero := w.Ana(), w.Phone(bottest.TenderoPhone)
	code := ana.Code()
	assert.Contains(t, ana.Says("BAJA"), "ya no te mandaremos mensajes")
	assert.Contains(t, tendero.Says(code+" 2 sabritas"), "Compra registrada")
	assert.Empty(t, ana.Receives(), "no receipt after BAJA")
	assert.EqualValues(t, 2, ana.Stamps(), "and the stamps count all the same")
	assert.Contains(t, ana.Says("ALTA"), "Te avisaremos")
	assert.Contains(t, tendero.Says(ana.Code()+" 1 sabritas"), "Compra registrada")
	assert.Len(t, ana.Receives(), 1)
}

func TestBajaWorksInTheMiddleOfAQuestion(t *testing.T) {
	w := bottest.New(t)
	ana := w.Phone("+525512345678")
	ana.Says(phrase)
	assert.Contains(t, ana.Says("BAJA"), "ya no te mandaremos mensajes")
}

func TestWhatAConsumerCanAsk(t *testing.T) {
	w := bottest.New(t)
	stranger := w.Phone("+525599999999")
	for _, ask := range []string{"saldo", "mi tarjeta", "código", "canjear", "historial"} {
		assert.Contains(t, stranger.Says(ask), "Todavía no tienes tarjeta", ask)
	}
	assert.Contains(t, stranger.Says("promociones"), "Junta 10")

	ana, tendero := w.Ana(), w.Phone(bottest.TenderoPhone)
	assert.Contains(t, ana.Says("saldo"), "Todavía no juntas nada")
	assert.Contains(t, ana.Says("historial"), "Aún no hay compras")
	tendero.Says(ana.Code() + " 9 sabritas")
	ana.Receives()
	assert.Contains(t, ana.Says("saldo"), "Llevas 9 sellos de 10. Te falta 1 sello para *Un refresco gratis*")
	assert.Contains(t, ana.Says("canjear"), "Todavía no te alcanza")
	assert.Contains(t, ana.Says("premios"), "Un refresco gratis")
	assert.Contains(t, ana.Says("historial"), "9 Sabritas Sal 45 g, 9 sellos")
	assert.Contains(t, ana.Says("promociones"), "Junta 10")
	link := ana.Says("mi tarjeta")
	assert.Contains(t, link, "/c/")
	assert.NotEqual(t, link, ana.Says("mi tarjeta"), "a new link voids the old one")
	assert.Contains(t, ana.Says("quiero hablar con una persona"), "Tu reporte es el")
}

func TestARewardFromTheFirstStampToTheCounter(t *testing.T) {
	w := bottest.New(t)
	ana, tendero := w.Ana(), w.Phone(bottest.TenderoPhone)
	tendero.Says(ana.Code() + " 12 sabritas")
	ana.Receives()
	assert.Contains(t, ana.Says("saldo"), "¡ya puedes pedir *Un refresco gratis*!")
	got := ana.Says("canjear")
	assert.Contains(t, got, "¡Felicidades!")
	assert.EqualValues(t, 2, ana.Stamps())
	code := ""
	for _, word := range strings.Fields(strings.ReplaceAll(got, "*", " ")) {
		if c, kind := loyalty.ParseCode(word); kind == loyalty.RedemptionCode {
			code = c
		}
	}
	require.NotEmpty(t, code)
	assert.Contains(t, ana.Says("canjear"), loyalty.FormatCode(code), "the open one again")
	history := ana.Says("historial")
	assert.Contains(t, history, "Un refresco gratis, -10 sellos (canje)")
	assert.Contains(t, history, "12 sellos", "the purchase that paid for it stays")

	foreign := w.Phone(bottest.EsquinaPhone)
	foreign.Says(code)
	assert.Contains(t, foreign.Says("2"), "se entrega en otra tienda", "Sur takes no part")
	assert.Contains(t, tendero.Says(code), "Entrega el premio: *Un refresco gratis*")
	assert.Contains(t, tendero.Says(code), "ya fue entregado")
}

func TestWhatATenderoCanAsk(t *testing.T) {
	w := bottest.New(t)
	ana, tendero := w.Ana(), w.Phone(bottest.TenderoPhone)
	hello := tendero.Says("hola")
	assert.Contains(t, hello, bottest.PublicURL+"/t/")
	assert.NotContains(t, hello, "/privacidad")
	assert.Contains(t, tendero.Says("ventas"), "todavía no tiene compras")
	tendero.Says(ana.Code() + " 2 coca chica")
	report := tendero.Says("ventas")
	assert.Contains(t, report, "1 compra con Qoa (2 piezas)")
	assert.Contains(t, report, "$37.00")
	assert.Contains(t, report, "del 27 de febrero al 5 de marzo")
	assert.Contains(t, tendero.Says("PEDIR"), "¡Anotado!")
	assert.Contains(t, tendero.Says("PEDIR 3 cajas de coca chica"), "«PEDIR 3 cajas de coca chica»", "what was noted")
	assert.Contains(t, tendero.Says("me falta coca chica"), "«me falta coca chica»")
	w.Do(func(tx *store.Tx) error {
		all, _, err := tx.Reorders(t.Context(), loyalty.System(), store.ReorderFilter{}, store.Page{Limit: 10})
		require.NoError(t, err)
		require.Len(t, all, 3)
		assert.Equal(t, bottest.Coca600, all[0].GTIN, "the newest first")
		assert.Nil(t, all[0].Quantity, "none was written")
		assert.EqualValues(t, 3, *all[1].Quantity)
		assert.Nil(t, all[2].Product)
		return nil
	})
	tendero.Writes("text", "cartel")
	require.NoError(t, w.Runner.HandleTurns(t.Context(), tendero.Person()))
	poster := tendero.Receives()
	require.Len(t, poster, 1)
	assert.Equal(t, "shop_qr", poster[0].Media)
	assert.Equal(t, "K7M2QR", poster[0].MediaRef)
	assert.Contains(t, poster[0].Text, bottest.PublicURL+"/v1/shops/K7M2QR/poster.pdf")
}

func TestWhatNobodyUnderstands(t *testing.T) {
	w := bottest.New(t)
	p := w.Phone("+525512345678")
	assert.Contains(t, p.Says("asdf qwerty zxcv"), "No te entendí")
	assert.Contains(t, p.Sends("image", ""), "Recibí tu foto")
	assert.Contains(t, p.Sends("audio", ""), "no puedo escuchar")
	assert.Contains(t, p.Says(""), "en blanco")
	assert.Contains(t, p.Says("   \n\t "), "en blanco")
	assert.Contains(t, w.Phone("+525587654321").Says(strings.Repeat("abcdefghi ", 1000)), "muy largo")
	assert.NotEmpty(t, p.Says("\x00\xff\u202e👩‍👩‍👧‍👦"))
	assert.Contains(t, p.Sends("unsupported", ""), "Eso no lo puedo leer")
}

func TestErasureForgetsAndAnswers(t *testing.T) {
	w := bottest.New(t)
	ana := w.Ana()
	old := ana.Person()
	assert.Contains(t, ana.Says("borren mis datos"), "¿Seguro")
	ana.Writes("text", "sí")
	require.NoError(t, w.Runner.HandleTurns(t.Context(), old))
	w.Do(func(tx *store.Tx) error {
		n, err := tx.ForgetAddresses(t.Context())
		assert.Zero(t, n, "not before the answer has left")
		return err
	})
}

func TestPitfall27_TwoMessagesAtOnceKeepTheirOrder(t *testing.T) {
	w := bottest.New(t)
	ana := w.Phone("+525512345678")
	ana.Writes("text", phrase)
	ana.Writes("text", "Ana")
	ana.Writes("text", "no")
	ana.Writes("text", "saldo")
	done := make(chan error)
	for range 4 {
		go func() { done <- w.Runner.HandleTurns(context.Background(), ana.Person()) }()
	}
	for range 4 {
		require.NoError(t, <-done)
	}
	got := ana.Receives()
	require.Len(t, got, 4)
	for i, want := range []string{"¿Cómo te llamas?", "¡Mucho gusto, Ana!", "así lo dejamos", "Todavía no juntas nada"} {
		assert.Contains(t, got[i].Text, want)
	}
}

func TestPitfall29_AnExpiredQuestionIsClosedKindly(t *testing.T) {
	w := bottest.New(t)
	ana := w.Phone("+525512345678")
	ana.Says(phrase)
	w.Clock.Advance(24 * time.Hour)
	got := ana.Says("saldo")
	assert.Contains(t, got, "Todavía no juntas nada")
	assert.NotContains(t, got, "¿Cómo te llamas?")
}

func TestLogsHoldNoPersonalData(t *testing.T) {
	w := bottest.New(t)
	ana := w.Ana()
	ana.Says("mi secreto es 42")
	log := w.Log.String()
	require.NotEmpty(t, log)
	assert.Contains(t, log, "trace-of-a-test")
	for _, private := range []string{"Ana", "5512345678", "secreto", "/c/"} {
		assert.NotContains(t, log, private)
	}
}

// TestHistoryShowsAPurchaseOnce: what counts in two campaigns is one line with
// its products, and one for what else it earned.
func TestHistoryShowsAPurchaseOnce(t *testing.T) {
	m := store.Movement{Shop: "Abarrotes Lupita", TimeZone: loyalty.DefaultTimeZone}
	m.Items = append(m.Items, store.ReceiptItem{Name: "Gansito", Quantity: 1})
	m.Earned = append(m.Earned, store.Earned{Campaign: "Junta 10", Unit: loyalty.Stamp, Amount: 2}, store.Earned{Campaign: "Antojo", Unit: loyalty.Stamp, Amount: 1})
	texts, err := templates.LoadMessages()
	require.NoError(t, err)
	got, err := texts.Render("history.some", map[string]string{"movements": flows.EncodeList(bot.HistoryRows(m)), "card_url": "https://qoa.test/c/x/y"})
	require.NoError(t, err)
	assert.Equal(t, 1, strings.Count(got, "Gansito"), got)
	assert.Contains(t, got, "Abarrotes Lupita: 1 Gansito, 2 sellos\n➕ *Antojo*: 1 sello\n")
}

// TestATypedCardCodeWaitsForTheConsumer: anybody who once saw a card knows its
// code, so it earns only once its owner has said yes.
func TestATypedCardCodeWaitsForTheConsumer(t *testing.T) {
	w := bottest.New(t)
	ana, tendero := w.Ana(), w.Phone(bottest.TenderoPhone)
	w.Change(func(terms *loyalty.Terms) { terms.Pending = &loyalty.Pending{Hours: 48} })
	card := ana.Card()

	assert.Contains(t, tendero.Says("3 coca chica "+card), "el cliente tiene que confirmarla")
	assert.Zero(t, ana.Stamps())
	asked := ana.Receives()
	require.Len(t, asked, 1)
	assert.Contains(t, asked[0].Text, "¿Fuiste tú?")
	assert.Contains(t, asked[0].Text, "para que cuenten tus 3 sellos de *Junta 10*")
	saldo := ana.Says("saldo")
	assert.Contains(t, saldo, "Por confirmar")
	assert.Contains(t, saldo, "Abarrotes Lupita: 3 Coca-Cola 600 ml, 3 sellos")
	assert.Contains(t, ana.Says("historial"), "3 Coca-Cola 600 ml, 3 sellos (por confirmar)")

	yes := ana.Says("Sí")
	assert.Contains(t, yes, "¡Gracias por confirmar!")
	assert.Contains(t, yes, "+3 sellos en *Junta 10*: llevas 3 de 10")
	assert.EqualValues(t, 3, ana.Stamps())
	assert.NotContains(t, ana.Says("sí"), "confirmar", "once is once")
	assert.NotContains(t, ana.Says("saldo"), "Por confirmar")

	assert.Contains(t, tendero.Says(card), "¿Qué compró?")
	assert.Contains(t, tendero.Says("2 sabritas"), "el cliente tiene que confirmarla")
	require.Len(t, ana.Receives(), 1)
	assert.Contains(t, ana.Says("no"), "Esa compra en *Abarrotes Lupita* no cuenta")
	assert.EqualValues(t, 3, ana.Stamps())
	assert.NotContains(t, ana.Says("no"), "no cuenta")

	assert.Contains(t, tendero.Says(ana.Code()+" 1 sabritas"), "Compra registrada", "a code of a single use earns at once")
	assert.EqualValues(t, 4, ana.Stamps())
}

// A yes to a question of ours is the answer to that, and to nothing else.
func TestAYesToAQuestionSettlesNoPurchase(t *testing.T) {
	w := bottest.New(t)
	ana, tendero := w.Ana(), w.Phone(bottest.TenderoPhone)
	w.Change(func(terms *loyalty.Terms) { terms.Pending = &loyalty.Pending{} })
	tendero.Says("3 coca chica " + ana.Card())
	ana.Receives()
	ana.Says("borren mis datos")
	assert.Contains(t, ana.Says("no"), "no borré nada")
	assert.Contains(t, ana.Says("sí"), "¡Gracias por confirmar!")
	assert.EqualValues(t, 3, ana.Stamps())
}

func TestARewardThatIsGivenBack(t *testing.T) {
	w := bottest.New(t)
	ana, tendero := w.Ana(), w.Phone(bottest.TenderoPhone)
	tendero.Says(ana.Code() + " 12 sabritas")
	ana.Receives()
	assert.Contains(t, ana.Says("cancelar premio"), "nada que cancelar")
	ana.Says("canjear")
	require.EqualValues(t, 2, ana.Stamps())
	assert.Contains(t, ana.Says("canjear"), "*cancelar premio*")
	assert.Contains(t, ana.Says("cancelar premio"), "cancelé *Un refresco gratis*")
	assert.EqualValues(t, 12, ana.Stamps())
}

// TestABalanceInBothUnits: each has its line, its goal and its rewards.
func TestABalanceInBothUnits(t *testing.T) {
	w := bottest.New(t)
	ana, tendero := w.Ana(), w.Phone(bottest.TenderoPhone)
	w.AddCampaign(loyalty.Terms{
		Name: "Club Marías", Scheme: loyalty.Both, Goal: 10, PointsGoal: 500, Products: w.Products[3:],
		Earn:  []loyalty.Earn{{Unit: loyalty.Stamp, Per: loyalty.PerUnit, Amount: 1}, {Unit: loyalty.Point, Per: loyalty.PerPeso, Amount: 1}},
		Tiers: &loyalty.Tiers{Keep: loyalty.TierForGood, Levels: []loyalty.Level{{Name: "Oro", Purchases: 1, Discount: "Hielo gratis"}}},
	}, store.RewardInput{Name: "Unas Marías", Unit: loyalty.Stamp, Threshold: 10, Cost: 900}, store.RewardInput{Name: "Una taza", Unit: loyalty.Point, Threshold: 400, Cost: 900})
	assert.Contains(t, tendero.Says(ana.Code()+" 2 marías"), "42 puntos")
	receipt := ana.Receives()
	require.Len(t, receipt, 1)
	assert.Contains(t, receipt[0].Text, "⭐ +2 sellos en *Club Marías*: llevas 2 de 10\n⭐ +42 puntos en *Club Marías*: llevas 42 de 500")
	saldo := ana.Says("saldo")
	assert.Contains(t, saldo, "*Club Marías* · nivel Oro\nLlevas 2 sellos de 10. Te faltan 8 sellos para *Unas Marías*.")
	assert.Contains(t, saldo, "Llevas 42 puntos de 400. Te faltan 358 puntos para *Una taza*.")
	assert.Equal(t, 1, strings.Count(saldo, "nivel Oro"))
	assert.Equal(t, 1, strings.Count(saldo, "🎖 Hielo gratis"))
}
