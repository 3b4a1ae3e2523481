package api

import "slices"

// deskRoutes are the pages of campaigns, which brands, shops and admins each find
// below their own root.
func deskRoutes(root string, who roles) []Route {
	return slices.Concat([]Route{
		screen(get, root+"/campanas", Cookie, who, (*server).campaignsPage),
		screen(post, root+"/campanas", Cookie, who, (*server).createCampaignForm),
		screen(get, root+"/campanas/nueva", Cookie, who, (*server).startCampaignPage),
		screen(post, root+"/campanas/nueva", Cookie, who, (*server).startCampaignForm),
		screen(get, root+"/campanas/nueva/completa", Cookie, who, (*server).newCampaignPage),
		screen(get, root+"/campanas/buscar/:what", Cookie, who, (*server).findChoices),
		screen(post, root+"/campanas/vista", Cookie, who, (*server).previewCampaign),
		screen(get, root+"/campanas/:id", Cookie, who, (*server).campaignPage),
		screen(post, root+"/campanas/:id", Cookie, who, (*server).editCampaignForm),
		screen(get, root+"/campanas/:id/asistente/:step", Cookie, who, (*server).assistantPage),
		screen(post, root+"/campanas/:id/asistente/:step", Cookie, who, (*server).assistantForm),
		screen(get, root+"/campanas/:id/editar", Cookie, who, (*server).editCampaignPage),
		screen(get, root+"/campanas/:id/simular", Cookie, who, (*server).simulationPage),
		screen(post, root+"/campanas/:id/descartar", Cookie, who, (*server).discardCampaignForm),
		screen(post, root+"/campanas/:id/estado", Cookie, who, (*server).moveCampaignForm),
		screen(post, root+"/campanas/:id/versiones/:version/cancelar", Cookie, who, (*server).cancelVersionForm),
		screen(post, root+"/campanas/:id/premios", Cookie, who, (*server).createRewardForm),
		screen(get, root+"/campanas/:id/premios/nuevo", Cookie, who, (*server).newRewardPage),
		screen(get, root+"/campanas/:id/tiendas", Cookie, who, (*server).participantsPage),
		screen(post, root+"/campanas/:id/tiendas", Cookie, who, (*server).inviteForm),
		screen(get, root+"/segmentos", Cookie, who, (*server).segmentsPage),
		screen(post, root+"/segmentos", Cookie, who, (*server).createSegmentForm),
		screen(get, root+"/segmentos/nuevo", Cookie, who, (*server).newSegmentPage),
		screen(get, root+"/segmentos/:id", Cookie, who, (*server).editSegmentPage),
		screen(post, root+"/segmentos/:id", Cookie, who, (*server).editSegmentForm),
		screen(get, root+"/campanas/:id/premios/:reward", Cookie, who, (*server).newRewardPage),
		screen(post, root+"/campanas/:id/premios/:reward", Cookie, who, (*server).createRewardForm),
	},
		exports(root+"/campanas", who, (*server).campaignFile),
		exports(root+"/campanas/:id/simular", who, (*server).simulationFile),
		exports(root+"/campanas/:id/tiendas", who, (*server).participantFile),
		exports(root+"/segmentos", who, (*server).segmentFile))
}
