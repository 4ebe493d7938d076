/* Live sources: in turns, side by side in event time, idle only by a fresh witness. */
#include "engine/intake_parts.h"

/* How often the sources are asked what they see of their ends. */
#define LOOK_EVERY_NS INT64_C(50000000)
/* Nothing heard of a source for so long: it is out of reach. */
#define UNHEARD_NS INT64_C(10000000000)

enum { TURN_MESSAGES = 256 };

struct live_lane {
    struct source_sight sight; /* As of the last look. */
    uint64_t next;             /* The state's, then. */
    int64_t moved_ns;          /* When that was seen to move last. */
    int64_t heard_ns;          /* The newest sight's moment; at first the start. */
    uint64_t goal;             /* The end when it was seen first. */
    bool goal_known;
};

struct intake_live {
    int64_t align_ms;
    int64_t idle_after_ns;
    bool to_the_end;
    int64_t looked_ns;
    size_t asked;      /* Lanes asked since the last look whether they are idle. */
    size_t turn;       /* The lane whose turn is next. */
    unsigned messages; /* Left in the turn of the one taken from last. */
    int64_t limit_ms;  /* Up to which newest event may be taken, in this round of turns. */
    uint64_t arrivals; /* Blocks that had arrived before the last look around. */
    size_t unreachable;
    uint64_t lag;
    bool backlog[SOURCES_MAX]; /* By the state's number. */
    struct live_lane lanes[];
};

size_t live_memory_size(const struct intake_settings *settings)
{
    size_t lanes = settings->source_count * sizeof(struct live_lane);

    return settings->live ? sizeof(struct intake_live) + lanes : 0;
}

void live_init(struct intake *intake, const struct intake_settings *settings, void *memory)
{
    struct intake_live *live = memory;
    int64_t now_ns = clock_steady_ns(settings->clock);

    intake->live = live;
    live->align_ms = settings->align_ms;
    live->idle_after_ns = settings->idle_after_ms * 1000000;
    live->to_the_end = settings->to_the_end;
    live->asked = settings->source_count;
    live->turn = settings->source_count;
    for (size_t lane = 0; lane < settings->source_count; lane++) {
        live->lanes[lane].moved_ns = now_ns;
        live->lanes[lane].heard_ns = now_ns;
    }
}

static uint64_t next_of(const struct state *state, const struct place *place)
{
    return state->watermark.sources[place->number].next;
}

/* Does anything of the lane wait to be taken? */
static bool has_block(const struct intake *intake, size_t index)
{
    const struct place *place = &intake->places[index];
    const struct crew_lane *lane = &intake->crew.lanes[index];

    return place->next != place->end ||
           crew_front(&intake->crew, lane, place->block == NULL ? 0 : 1) != NULL;
}

static void look_at(struct intake *intake, const struct state *state, size_t index, int64_t now_ns)
{
    struct live_lane *lane = &intake->live->lanes[index];
    uint64_t next = next_of(state, &intake->places[index]);

    source_sight(intake->crew.lanes[index].source, &lane->sight);
    if (next != lane->next) {
        lane->next = next;
        lane->moved_ns = now_ns;
    }
    if (lane->sight.seen_ns > lane->heard_ns) {
        lane->heard_ns = lane->sight.seen_ns;
    }
    if (!lane->goal_known && lane->sight.seen_ns > 0) {
        lane->goal_known = true;
        lane->goal = lane->sight.stable;
    }
    intake->live->lag += lane->sight.end > next ? lane->sight.end - next : 0;
    intake->live->unreachable += now_ns - lane->heard_ns > UNHEARD_NS ? 1 : 0;
}

/* What the sources see of their ends, from time to time. True: they were asked just now. */
static bool look(struct intake *intake, const struct state *state)
{
    struct intake_live *live = intake->live;
    int64_t now_ns = clock_steady_ns(intake->crew.clock);

    if (live->looked_ns > 0 && now_ns - live->looked_ns < LOOK_EVERY_NS) {
        return false;
    }
    live->looked_ns = now_ns;
    live->asked = 0;
    live->unreachable = 0;
    live->lag = 0;
    for (size_t lane = 0; lane < intake->crew.lane_count; lane++) {
        look_at(intake, state, lane, now_ns);
    }
    return true;
}

static bool all_reached(const struct intake *intake, const struct state *state)
{
    for (size_t index = 0; index < intake->crew.lane_count; index++) {
        const struct live_lane *lane = &intake->live->lanes[index];
        if (!lane->goal_known || next_of(state, &intake->places[index]) < lane->goal) {
            return false;
        }
    }
    return true;
}

/* INTAKE_IDLE, INTAKE_ACTIVE: that is to be noted. Else INTAKE_NOTHING. */
static enum intake_kind ask_idle(struct intake *intake, const struct state *state, size_t index)
{
    const struct intake_live *live = intake->live;
    const struct live_lane *lane = &live->lanes[index];
    const struct watermark_source *source = &state->watermark.sources[intake->places[index].number];
    int64_t since_ns = live->looked_ns - lane->sight.seen_ns;
    bool witness = lane->sight.seen_ns > 0 && since_ns <= live->idle_after_ns &&
                   lane->sight.end == source->next;

    if (source->standing == SOURCE_IDLE && !witness) {
        return INTAKE_ACTIVE;
    }
    bool silent = live->looked_ns - lane->moved_ns >= live->idle_after_ns;
    if (source->standing == SOURCE_ACTIVE && witness && silent && !has_block(intake, index) &&
        crew_rests(&intake->crew, &intake->crew.lanes[index])) {
        return INTAKE_IDLE;
    }
    return INTAKE_NOTHING;
}

/* A new round of turns: who has a backlog, and how far may one be ahead? */
static void begin_round(struct intake *intake, const struct state *state)
{
    struct intake_live *live = intake->live;
    int64_t now_ns = live->looked_ns;

    for (size_t index = 0; index < intake->crew.lane_count; index++) {
        const struct live_lane *lane = &live->lanes[index];
        const struct place *place = &intake->places[index];
        bool reached = lane->sight.seen_ns > 0 && now_ns - lane->sight.seen_ns <= UNHEARD_NS;
        live->backlog[place->number] =
            has_block(intake, index) || (reached && lane->sight.stable > next_of(state, place));
    }
    live->limit_ms = watermark_align_limit(&state->watermark, live->align_ms, live->backlog);
    live->turn = 0;
}

/* What this place has: a message, the end of what is no message, nothing, or it is broken. */
static enum intake_kind look_into(struct intake *intake, const struct state *state,
                                  struct place *place, struct fault *ret_fault)
{
    while (place->next == place->end) {
        if (place->block != NULL && place->block->block.next > next_of(state, place)) {
            return INTAKE_SKIPPED;
        }
        if (place->block != NULL) {
            intake_leave(intake, place);
        }
        enum intake_kind kind = intake_enter(intake, place, ret_fault);
        if (kind != INTAKE_MESSAGE) {
            return kind;
        }
    }
    return intake_newest(state, place) <= intake->live->limit_ms ? INTAKE_MESSAGE : INTAKE_NOTHING;
}

/* The next place, in turns, that has something to say. */
static enum intake_kind take_turns(struct intake *intake, const struct state *state,
                                   struct place **ret_place, struct fault *ret_fault)
{
    struct intake_live *live = intake->live;

    live->arrivals = crew_arrivals(&intake->crew);
    for (unsigned round = 0; round < 2; round++) { /* The rest of this one, and a whole one. */
        if (live->turn == intake->crew.lane_count) {
            begin_round(intake, state);
        }
        while (live->turn < intake->crew.lane_count) {
            *ret_place = &intake->places[live->turn++];
            enum intake_kind kind = look_into(intake, state, *ret_place, ret_fault);
            if (kind != INTAKE_NOTHING) {
                live->messages = TURN_MESSAGES;
                return kind;
            }
        }
    }
    crew_hurry(&intake->crew);
    return INTAKE_NOTHING;
}

/* Before anything is taken: what time has brought. INTAKE_MESSAGE: nothing to say. */
static enum intake_kind look_around(struct intake *intake, const struct state *state,
                                    struct place **ret_place)
{
    struct intake_live *live = intake->live;

    if (look(intake, state) && live->to_the_end && all_reached(intake, state)) {
        return INTAKE_FINISHED;
    }
    while (live->asked < intake->crew.lane_count) {
        *ret_place = &intake->places[live->asked];
        enum intake_kind kind = ask_idle(intake, state, live->asked++);
        if (kind != INTAKE_NOTHING) {
            return kind;
        }
    }
    return INTAKE_MESSAGE;
}

static bool turn_goes_on(const struct intake *intake, const struct state *state)
{
    const struct place *place = intake->last;

    return place != NULL && place->next != place->end && intake->live->messages > 0 &&
           intake_newest(state, place) <= intake->live->limit_ms;
}

void live_next(struct intake *intake, const struct state *state, struct intake_item *ret_item,
               struct fault *ret_fault)
{
    struct place *place = intake->last;
    enum intake_kind kind = INTAKE_MESSAGE;

    if (!turn_goes_on(intake, state)) {
        place = intake->places;
        kind = look_around(intake, state, &place);
        if (kind == INTAKE_MESSAGE) {
            kind = take_turns(intake, state, &place, ret_fault);
        }
    }
    if (kind == INTAKE_MESSAGE) {
        intake->last = place;
        intake->live->messages--;
        ret_item->message = place->next++;
    }
    if (kind == INTAKE_SKIPPED) {
        ret_item->offset = place->block->block.next - 1;
    }
    ret_item->kind = kind;
    ret_item->source = place->number;
}

void live_wait(struct intake *intake, int64_t timeout_ns)
{
    if (timeout_ns > 0) {
        crew_await_any(&intake->crew, intake->live->arrivals, timeout_ns);
    }
}

size_t intake_unreachable(const struct intake *intake)
{
    return intake->live == NULL ? 0 : intake->live->unreachable;
}

uint64_t intake_lag(const struct intake *intake)
{
    return intake->live == NULL ? 0 : intake->live->lag;
}
