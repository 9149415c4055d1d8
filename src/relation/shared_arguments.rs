//! What arguments mean that several table functions share.

/// Name and meaning of an argument.
type Argument = (&'static str, &'static str);

pub const TIMESTAMP: Argument = (
    "timestamp",
    "Time of the row; default: column timestamp, if there.",
);
pub const LABELS: Argument = (
    "labels",
    "Relation with the labels of the analysis, where they live elsewhere; joined by key. They replace labels of the rows; \
     a row whose key is NULL or has no label has none, two different labels for a key are an error.",
);
pub const KEY: Argument = (
    "key",
    "Columns by which labels are joined, of the same names in both relations.",
);
pub const LABEL_DELAY: Argument = (
    "label_delay",
    "INTERVAL: labels of analysis rows younger than this at as_of are not final and count as unknown.",
);
pub const WEIGHT: Argument = (
    "weight",
    "What a row counts, a number from 1e-6 to 1e9; rows of NULL or 0 are not used. Errors are those of rows that were drawn \
     with unequal chances (linearization).",
);
pub const CHUNK: Argument = (
    "chunk",
    "INTERVAL '1 week' (default with a timestamp), rows(n), parts(n) or an expression.",
);
pub const REFERENCE_CHUNK: Argument = (
    "reference_chunk",
    "The same for the reference; default: as chunk, or parts(10) without a timestamp.",
);
pub const ORDER_BY: Argument = (
    "order_by",
    "Total order of the rows, for rows(n) and parts(n); default: timestamp.",
);
pub const INCOMPLETE: Argument = (
    "incomplete",
    "'keep' (default), 'merge' or 'drop' chunks that are not full.",
);
pub const TIME_ZONE: Argument = ("time_zone", "Zone of the calendar; default: UTC.");
pub const AS_OF: Argument = (
    "as_of",
    "Calendar chunks that end later are not complete and do not alert; default: now.",
);
pub const EXCLUDE: Argument = ("exclude", "Columns to leave out of '*'.");
pub const TREAT_AS_CATEGORICAL: Argument = (
    "treat_as_categorical",
    "Columns to read as categories whatever their type.",
);
pub const TREAT_AS_CONTINUOUS: Argument = (
    "treat_as_continuous",
    "Columns to read as numbers whatever their type.",
);
pub const NAME: Argument = ("name", "Text for column monitor.");
pub const THRESHOLDS: Argument = (
    "thresholds",
    "false_alarm_rate(rate [, season => 'day_of_week']) (default), stddev(k), constant(lower, upper), or {'metric': ...}.",
);
pub const COLUMN_THRESHOLDS: Argument = (
    "thresholds",
    "false_alarm_rate(rate) (default), stddev(k), constant(lower, upper), or {'metric': ...}.",
);
pub const DIRECTION: Argument = (
    "direction",
    "'both' (default) or 'worse': on which side a value alerts.",
);
pub const CONFIDENCE_LEVEL: Argument = ("confidence_level", "Of the bounds; default: 0.95.");
pub const COMPARISON: Argument = (
    "comparison",
    "'reference' (default), or 'previous': each chunk with the one before.",
);
pub const COLUMNS: Argument = (
    "columns",
    "Names, expressions by name, or '*' (default), which is all columns that have no other part in the call.",
);
pub const BY: Argument = (
    "by",
    "Columns that group the rows; each group has its own reference.",
);
