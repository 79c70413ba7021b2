CREATE TABLE `activity` (
	`environment` text NOT NULL,
	`experiment` text NOT NULL,
	`version` integer NOT NULL,
	`last_event_ms` integer NOT NULL,
	PRIMARY KEY(`environment`, `experiment`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `cells` (
	`environment` text NOT NULL,
	`experiment` text NOT NULL,
	`phase` integer NOT NULL,
	`variant` text NOT NULL,
	`dimension` text NOT NULL,
	`value` text NOT NULL,
	`cohort_start` integer NOT NULL,
	`cohort_hours` integer NOT NULL,
	`metric` text NOT NULL,
	`y` real NOT NULL,
	`yy` real NOT NULL,
	`d` real NOT NULL,
	`dd` real NOT NULL,
	`yd` real NOT NULL,
	`x` real NOT NULL,
	`xx` real NOT NULL,
	`xy` real NOT NULL,
	PRIMARY KEY(`environment`, `experiment`, `phase`, `metric`, `dimension`, `value`, `variant`, `cohort_start`, `cohort_hours`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `cells_rebuild` (
	`environment` text NOT NULL,
	`experiment` text NOT NULL,
	`phase` integer NOT NULL,
	`variant` text NOT NULL,
	`dimension` text NOT NULL,
	`value` text NOT NULL,
	`cohort_start` integer NOT NULL,
	`cohort_hours` integer NOT NULL,
	`metric` text NOT NULL,
	`y` real NOT NULL,
	`yy` real NOT NULL,
	`d` real NOT NULL,
	`dd` real NOT NULL,
	`yd` real NOT NULL,
	`x` real NOT NULL,
	`xx` real NOT NULL,
	`xy` real NOT NULL,
	PRIMARY KEY(`environment`, `experiment`, `phase`, `metric`, `dimension`, `value`, `variant`, `cohort_start`, `cohort_hours`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `counters` (
	`environment` text NOT NULL,
	`hour` integer NOT NULL,
	`name` text NOT NULL,
	`n` integer NOT NULL,
	PRIMARY KEY(`environment`, `hour`, `name`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `meta` (
	`id` integer PRIMARY KEY NOT NULL,
	`version` integer NOT NULL,
	`mirrored` integer NOT NULL
);
--> statement-breakpoint
INSERT INTO `meta` (`id`, `version`, `mirrored`) VALUES (1, 0, 0), (2, 0, 0);
--> statement-breakpoint
CREATE TABLE `populations` (
	`environment` text NOT NULL,
	`experiment` text NOT NULL,
	`phase` integer NOT NULL,
	`variant` text NOT NULL,
	`dimension` text NOT NULL,
	`value` text NOT NULL,
	`cohort_start` integer NOT NULL,
	`cohort_hours` integer NOT NULL,
	`n` integer NOT NULL,
	PRIMARY KEY(`environment`, `experiment`, `phase`, `dimension`, `value`, `variant`, `cohort_start`, `cohort_hours`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `populations_rebuild` (
	`environment` text NOT NULL,
	`experiment` text NOT NULL,
	`phase` integer NOT NULL,
	`variant` text NOT NULL,
	`dimension` text NOT NULL,
	`value` text NOT NULL,
	`cohort_start` integer NOT NULL,
	`cohort_hours` integer NOT NULL,
	`n` integer NOT NULL,
	PRIMARY KEY(`environment`, `experiment`, `phase`, `dimension`, `value`, `variant`, `cohort_start`, `cohort_hours`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `progress` (
	`id` integer PRIMARY KEY NOT NULL,
	`newest_event_ms` integer NOT NULL,
	`newest_received_ms` integer NOT NULL,
	`folded_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `rebuilds` (
	`id` text PRIMARY KEY NOT NULL,
	`reason` text NOT NULL,
	`status` text NOT NULL,
	`requested_at_ms` integer NOT NULL,
	`stepped_at_ms` integer NOT NULL,
	`cursor` text NOT NULL,
	`plans` text NOT NULL,
	`events` integer NOT NULL,
	`difference` text
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `tallies` (
	`environment` text NOT NULL,
	`experiment` text NOT NULL,
	`phase` integer NOT NULL,
	`cause` text NOT NULL,
	`detail` text NOT NULL,
	`n` integer NOT NULL,
	PRIMARY KEY(`environment`, `experiment`, `phase`, `cause`, `detail`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `tallies_rebuild` (
	`environment` text NOT NULL,
	`experiment` text NOT NULL,
	`phase` integer NOT NULL,
	`cause` text NOT NULL,
	`detail` text NOT NULL,
	`n` integer NOT NULL,
	PRIMARY KEY(`environment`, `experiment`, `phase`, `cause`, `detail`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `units` (
	`key` text PRIMARY KEY NOT NULL,
	`state` text NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `units_rebuild` (
	`key` text PRIMARY KEY NOT NULL,
	`state` text NOT NULL
) WITHOUT ROWID;
