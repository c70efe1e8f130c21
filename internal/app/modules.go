package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/admin"
	"omote/internal/admin/account"
	adminapi "omote/internal/admin/api"
	"omote/internal/admin/key"
	"omote/internal/admin/org"
	"omote/internal/admin/rotation"
	"omote/internal/admin/trail"
	adminweb "omote/internal/admin/web"
	"omote/internal/customer"
	"omote/internal/customer/activation"
	"omote/internal/customer/consent"
	"omote/internal/customer/match"
	segments "omote/internal/customer/segment"
	"omote/internal/feedback/cases"
	"omote/internal/feedback/survey"
	"omote/internal/feedback/voice"
	"omote/internal/governance"
	"omote/internal/governance/record"
	"omote/internal/ingest"
	ingestapi "omote/internal/ingest/api"
	"omote/internal/ingest/imports"
	"omote/internal/ingest/kafka"
	"omote/internal/ingest/segment"
	ingestweb "omote/internal/ingest/web"
	"omote/internal/insight"
	insightapi "omote/internal/insight/api"
	"omote/internal/insight/metric"
	insightpacks "omote/internal/insight/packs"
	"omote/internal/insight/signal"
	insightweb "omote/internal/insight/web"
	"omote/internal/journey"
	"omote/internal/journey/blueprint"
	"omote/internal/journey/conform"
	"omote/internal/journey/definition"
	"omote/internal/journey/moment"
	"omote/internal/journey/observed"
	journeyweb "omote/internal/journey/web"
	"omote/internal/module"
	"omote/internal/platform/approval"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/config"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/platform/idempotency"
	"omote/internal/platform/jobs"
	"omote/internal/platform/outbox"
	"omote/internal/platform/projector"
	"omote/internal/platform/send"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/platform/timer"
	"omote/internal/program"
	"omote/internal/report/export"
	"omote/internal/ui"
)

// services are the services that more than one place needs.
type services struct {
	privacyServices
	auth        *auth.Service
	web         *auth.Web
	approvals   *approval.Service
	board       *insightweb.Board
	governance  *governance.Governance
	program     *program.Program
	admin       *admin.Admin
	jobs        *jobs.Jobs
	metrics     *metric.Service
	ingest      *ingest.Ingest
	customers   *customers
	match       *match.Service
	outbox      *outbox.Outbox
	gates       *outbox.Gates
	gateways    map[string]*send.Gateway
	blueprints  *blueprint.Service
	conform     *conform.Service
	timers      *timer.Timers
	surveys     *survey.Service
	definitions *definition.Service
	journeys    *observed.Service
	moments     *moment.Service
	segments    *segments.Service
	activations *activation.Service
	cases       *cases.Service
	voices      *voice.Service
	signals     *signal.Service
}

// migrations are all tables, those that others build on first.
func migrations() []store.Migrations {
	return []store.Migrations{sealed.Migrations, audit.Migrations, idempotency.Migrations, jobs.Migrations, outbox.Migrations, auth.Migrations, approval.Migrations, admin.Migrations,
		projector.Migrations, customer.Migrations, ingest.Migrations, journey.Migrations, moment.Migrations, insight.Migrations, timer.Migrations, cases.Migrations, survey.Migrations, voice.Migrations,
		governance.Migrations, program.Migrations}
}

// stateBatch is how many events the state projector takes up in one transaction
// when many wait: fewer, larger transactions touch each page of the store once.
const stateBatch = 10_000

// historyBatch is the same for history alone: what an import brings may hold the
// store longer, since nobody waits to see it.
const historyBatch = 40_000

// wire makes the services and the modules: THE list of them.
func (a *App) wire(ctx context.Context) error {
	if err := a.Store.Migrate(ctx, migrations()...); err != nil {
		return err
	}
	s := &services{}
	a.services = s
	var err error
	s.match = a.newMatch()
	if s.customers, err = a.newCustomers(); err != nil {
		return fmt.Errorf("customer: %w", err)
	}
	if err := a.wireOutbox(); err != nil {
		return err
	}
	if err := a.wireConsent(ctx); err != nil {
		return fmt.Errorf("consent: %w", err)
	}
	if err := a.wireSegments(); err != nil {
		return err
	}
	a.wireActivations()
	if err := a.wireAuth(ctx); err != nil {
		return err
	}
	s.approvals = approval.New(a.Store, s.auth)
	a.wireTimers()
	if err := a.wireCases(); err != nil {
		return fmt.Errorf("cases: %w", err)
	}
	a.wireVoices()
	if err := a.wireSurveys(ctx); err != nil {
		return fmt.Errorf("surveys: %w", err)
	}
	if a.State, err = projector.New(a.Store, a.Box, projector.Options{MaxEvents: stateBatch, MaxHistory: historyBatch}, append(s.customers.handlers(a),
		consent.NewHandler(s.consents, a.Names), cases.NewHandler(s.cases, a.Names), s.segments.Handler(),
		survey.Handler{Surveys: s.surveys, Pseudonyms: a.Names}, voice.Handler{Voices: s.voices, Pseudonyms: a.Names})...); err != nil {
		return err
	}
	if err := a.installSegments(ctx); err != nil {
		return err
	}
	s.admin = admin.New(a.Store, s.auth, s.approvals, record.Follower{}, program.Follower{}, signal.Follower{})
	if err := s.admin.Org.EnsureEntity(a.system(ctx), a.Config.Bank); err != nil {
		return fmt.Errorf("organisation: %w", err)
	}
	s.jobs = jobs.New(a.Store, jobs.Options{
		Kinds: []jobs.Kind{
			rotation.Job(a.Store, a.Box, a.Sealed()...),
			a.momentJob(),
			a.clusterKind(), a.surveyKind(),
			a.scanKind(), a.noticeKind(), a.rereadKind(),
			jobs.Define(compactJob, 3, func(ctx context.Context, _ *jobs.Run, _ struct{}) error { return a.Warehouse.Compact(ctx) }),
			jobs.Define(sweepJob, 3, func(ctx context.Context, _ *jobs.Run, _ struct{}) error { return s.auth.Sweep(ctx) }),
			a.approvalKind(), a.governanceKind(), a.waveKind(),
			a.signalKind(),
			a.erasureKind(), a.retentionKind(), a.matchKind(),
			a.refreshKind(),
			a.segmentKind(),
		},
		Periodic: []jobs.Periodic{a.momentSchedule(), a.surveySchedule(), a.clusterSchedule(), a.scanSchedule(), a.noticeSchedule(), a.rereadSchedule(), {Name: sweepJob, Entity: a.Config.Entity, Kind: sweepJob, Schedule: jobs.Every(24 * time.Hour)},
			{Name: compactJob, Entity: a.Config.Entity, Kind: compactJob, Schedule: jobs.Daily{Hour: 3, Zone: a.Config.Location()}},
			a.approvalPeriodic(), a.signalPeriodic(), a.refreshPeriodic(), a.governancePeriodic(), a.wavePeriodic(), a.segmentPeriodic(), a.privacyPeriodic()},
	})
	if err := a.wireIngest(ctx); err != nil {
		return fmt.Errorf("ingest: %w", err)
	}
	if err := a.wireErasure(ctx); err != nil {
		return fmt.Errorf("erasure: %w", err)
	}
	if err := a.wireBlueprints(); err != nil {
		return fmt.Errorf("journey: %w", err)
	}
	s.journeys = observed.NewService(a.Warehouse, s.definitions, a.Clock)
	s.journeys.Source = journeySegments{s.segments}
	s.journeys.Currency = a.Config.Currency
	a.wireMoments()
	if err := a.wireInsight(ctx); err != nil {
		return fmt.Errorf("insight: %w", err)
	}
	if err := a.wireSignals(ctx); err != nil {
		return fmt.Errorf("signals: %w", err)
	}
	if s.governance, err = a.newGovernance(a.Store, s.approvals); err != nil {
		return err
	}
	if s.program, err = a.newProgram(a.Store, s.approvals, s.governance, a.draw); err != nil {
		return err
	}
	sealer := &audit.Sealer{DB: a.Store}
	a.modules = []module.Module{
		{Name: "ui", Locales: []i18n.Source{ui.Locales(), locales(), eventlog.Locales(), projector.Locales()}},
		{Name: "audit", Work: []module.Work{{Name: "sealer", Role: config.Worker, Run: sealer.Run}}},
		{Name: "jobs", Work: []module.Work{{Name: "jobs", Role: config.Worker, Run: s.jobs.Run}}},
		a.outboxModule(),
		a.timerModule(),
		a.adminModule(),
		a.ingestModule(),
		a.surveyModule(),
		a.homeModule(),
		a.insightModule(),
		a.signalModule(),
		a.blueprintModule(),
		a.journeyModule(),
		a.momentModule(),
		a.governanceModule(),
		a.programModule(),
		a.boardModule(),
		a.caseModule(),
		a.voiceModule(),
		a.privacyModule(),
		{Name: "report", Routes: export.Service{DB: a.Store, Warehouse: a.Warehouse}.Routes},
		a.customerModule(),
		a.matchModule(),
		a.segmentModule(),
		a.activationModule(),
		a.connectModule(),
	}
	return nil
}

// compactJob folds the warehouse's daily counts at night.
const compactJob = "warehouse.compact"

// sweepJob deletes ended sessions and forgotten failures once a day.
const sweepJob = "auth.sweep"

// wireInsight makes the metric registry and brings the built-in definitions in.
func (a *App) wireInsight(ctx context.Context) error {
	a.services.metrics = metric.NewService(a.Store, a.Warehouse)
	a.services.board = a.newBoard()
	pack, err := metric.ParsePack(insightpacks.Metrics)
	if err != nil {
		return err
	}
	added, changed, err := a.services.metrics.Install(a.system(ctx), pack)
	if added+changed > 0 {
		a.Logger.Info("metric definitions of the pack", "added", added, "proposed", changed)
	}
	return err
}

func (a *App) adminModule() module.Module {
	web := &auth.Web{Service: a.services.auth, Secure: strings.HasPrefix(a.Config.BaseURL, "https://"), Fail: a.fail}
	pages := adminweb.Pages{Auth: a.services.auth, Web: web, Admin: a.services.admin, Health: health{a, a.Clock.Now()}, Keys: a.Keys, Clock: a.Clock,
		BaseURL: a.Config.BaseURL, Version: Version}
	if a.Config.OIDCIssuer != "" {
		pages.SSO = &adminweb.SSO{Config: auth.OIDCConfig{Issuer: a.Config.OIDCIssuer, ClientID: a.Config.OIDCClient, ClientSecret: a.Config.OIDCSecret,
			RedirectURL: strings.TrimSuffix(a.baseURL(), "/") + adminweb.SSOCallback}}
	}
	return module.Module{
		Name:    "admin",
		Locales: []i18n.Source{admin.Locales()},
		Routes:  pages.Routes,
		API:     func(api huma.API) { adminapi.API{Admin: a.services.admin}.Register(api) },
		Work:    []module.Work{{Name: "units in the warehouse", Role: config.Warehouse, Run: a.syncUnits}},
		Nav: []module.Nav{
			{Key: adminweb.NavKeys, Href: "/admin/keys", Permission: key.PermRead, Label: "admin.web.key.title", Layer: ui.LayerPlatform},
			{Key: adminweb.NavSystem, Href: "/admin/health", Permission: adminweb.PermSystem, Label: "admin.web.health.nav", Layer: ui.LayerPlatform},
			{Key: adminweb.NavOrganisation, Href: "/admin/organisation", Permission: org.PermRead, Label: "admin.web.org.title", Layer: ui.LayerGuarantee},
			{Key: adminweb.NavPeople, Href: "/admin/people", Permission: account.PermRead, Label: "admin.web.people.title", Layer: ui.LayerGuarantee},
			{Key: adminweb.NavAudit, Href: "/admin/audit", Permission: trail.PermRead, Label: "admin.web.audit.title", Layer: ui.LayerGuarantee},
		},
	}
}

func (a *App) wireIngest(ctx context.Context) error {
	uploads, err := a.Config.Folder("uploads")
	if err != nil {
		return err
	}
	a.services.ingest, err = ingest.New(ctx, ingest.Deps{Store: a.Store, Box: a.Box, Log: a.Log, State: a.State, Keys: writeKeys{a.services.auth},
		Uploads: uploads, Currency: a.Config.Currency, Projectors: a.projectorNames()})
	return err
}

func (a *App) ingestModule() module.Module {
	in := a.services.ingest
	pages := ingestweb.Pages{Imports: in.Imports, Plan: in.Plan, Quarantine: in.Quarantine, Clock: a.Clock, Zone: a.Config.Zone}
	operations := ingestapi.API{Imports: in.Imports, DB: a.Store, Zone: a.Config.Zone}
	topics := kafka.Source{Brokers: a.Config.KafkaBrokers, Topics: a.Config.KafkaTopics, Group: a.Config.KafkaGroup, Door: in.Door, Logger: a.Logger,
		Feed: segment.Source{Name: a.Config.KafkaSource, Entity: a.Config.Entity, System: a.Config.KafkaSource},
		Security: kafka.Security{TLS: a.Config.KafkaTLS, CA: a.Config.KafkaCA, Certificate: a.Config.KafkaCert, Key: a.Config.KafkaKey,
			Mechanism: a.Config.KafkaSASL, User: a.Config.KafkaUser, Password: a.Config.KafkaSecret}}
	return module.Module{
		Name:    "ingest",
		Locales: []i18n.Source{ingest.Locales()},
		Routes: func(r *httpx.Router) {
			pages.Routes(r)
			operations.Routes(r)
		},
		API:  func(api huma.API) { operations.Register(api) },
		Home: a.feedHome(),
		Nav:  []module.Nav{{Key: ui.NavData, Href: "/ingest/imports", Permission: imports.PermRead}},
		Work: []module.Work{
			{Name: "tracking plans", Role: config.Ingest, Run: in.Plan.Run},
			{Name: "imports", Role: config.Worker, Run: in.Imports.Run},
			{Name: "Kafka topics", Role: config.Ingest, Run: topics.Run},
		},
	}
}

func (a *App) insightModule() module.Module {
	m := a.services.metrics
	pages := insightweb.Pages{Metrics: m, Board: a.services.board, Clock: a.Clock, Zone: a.Config.Location(),
		UnitNames: a.unitNames}
	return module.Module{
		Name:    "insight",
		Locales: []i18n.Source{insight.Locales(), insightweb.Locales()},
		Routes:  pages.Routes,
		API:     func(api huma.API) { insightapi.Register(api, m) },
		Home:    a.figuresHome(),
		Nav:     []module.Nav{{Key: ui.NavMeasures, Href: "/insight/metrics", Permission: metric.PermRead}},
	}
}

func (a *App) journeyModule() module.Module {
	s := a.services
	pages := journeyweb.Pages{Observed: s.journeys, Label: s.ingest.Plan.Label, Zone: a.Config.Location(), Units: a.unitNames,
		Segment: segmentOf, Maps: s.blueprints, Worth: a.worth, Currency: a.Config.Currency}
	return module.Module{
		Name:    "journey",
		Locales: []i18n.Source{journey.Locales()},
		Routes:  pages.Routes,
	}
}

// writeKeys finds the feed that an API key may send for.
type writeKeys struct{ auth *auth.Service }

// WriteKey implements segment.Keys.
func (k writeKeys) WriteKey(ctx context.Context, key string) (segment.Source, error) {
	found, err := k.auth.WriteKey(ctx, key)
	if err != nil {
		return segment.Source{}, err
	}
	return segment.Source{Name: found.Source, Entity: found.Entity, System: found.System}, nil
}
