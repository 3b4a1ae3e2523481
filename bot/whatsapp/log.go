package whatsapp

import (
	"log/slog"
	"regexp"
	"sync"

	signal "go.mau.fi/libsignal/logger"
	wastore "go.mau.fi/whatsmeow/store"
	waLog "go.mau.fi/whatsmeow/util/log"
	"google.golang.org/protobuf/proto"
)

// wireLog takes what whatsmeow says. Its lines name phones, and at times whole
// messages; so only the sentence itself is kept, without what was filled in, and
// of errors what is no number. What it calls errors we call warnings: each is
// answered by a retry, or shows as a state of the number.
type wireLog struct {
	log    *slog.Logger
	module string
}

var _ waLog.Logger = wireLog{}

// Errorf implements waLog.Logger.
func (l wireLog) Errorf(msg string, args ...any) { l.warn(msg, args) }

// Warnf implements waLog.Logger.
func (l wireLog) Warnf(msg string, args ...any) { l.debug(msg, args) }

// Infof implements waLog.Logger.
func (l wireLog) Infof(msg string, args ...any) { l.debug(msg, args) }

// Debugf implements waLog.Logger: these hold every stanza, and come often.
func (l wireLog) Debugf(string, ...any) {}

// Sub implements waLog.Logger.
func (l wireLog) Sub(module string) waLog.Logger {
	if l.module != "" {
		module = l.module + "/" + module
	}
	return wireLog{log: l.log, module: module}
}

func (l wireLog) warn(msg string, args []any) {
	l.log.Warn("whatsmeow: "+msg, "module", l.module, "errors", errorsIn(args))
}

func (l wireLog) debug(msg string, args []any) {
	l.log.Debug("whatsmeow: "+msg, "module", l.module, "errors", errorsIn(args))
}

// errorsIn gives the texts of the errors among the arguments.
func errorsIn(args []any) []string {
	var all []string
	for _, a := range args {
		if err, ok := a.(error); ok && err != nil {
			all = append(all, withoutNumbers(err))
		}
	}
	return all
}

// longNumber may be a phone or a LID.
var longNumber = regexp.MustCompile(`\d{5,}`)

// withoutNumbers is an error fit for a log.
func withoutNumbers(err error) string {
	if err == nil {
		return ""
	}
	return longNumber.ReplaceAllString(err.Error(), "…")
}

// signalLog takes what the Signal library says, which prints it otherwise: that a
// message could not be read shows as such a message, and its reasons are for who
// looks for a defect.
type signalLog struct{ log *slog.Logger }

var _ signal.Loggable = signalLog{}

// Debug implements logger.Loggable. These lines hold keys.
func (signalLog) Debug(string, string) {}

// Info implements logger.Loggable.
func (signalLog) Info(string, string) {}

// Warning implements logger.Loggable.
func (l signalLog) Warning(caller, message string) { l.say(caller, message) }

// Error implements logger.Loggable.
func (l signalLog) Error(caller, message string) { l.say(caller, message) }

// Configure implements logger.Loggable.
func (signalLog) Configure(string) {}

func (l signalLog) say(caller, message string) {
	l.log.Debug("signal: "+longNumber.ReplaceAllString(message, "…"), "caller", caller)
}

// preparing is for what whatsmeow has once for a whole process.
var preparing sync.Once

// prepare takes the Signal library's log, and says by which name a phone lists the
// device among those that are linked to it.
func prepare(log *slog.Logger) {
	preparing.Do(func() {
		l := signal.Loggable(signalLog{log})
		signal.Setup(&l)
		wastore.DeviceProps.Os = proto.String("Qoa Conectados")
	})
}
