CREATE TABLE `dimension_values` (
	`environment` text NOT NULL,
	`experiment` text NOT NULL,
	`phase` integer NOT NULL,
	`dimension` text NOT NULL,
	`kept` text NOT NULL,
	PRIMARY KEY(`environment`, `experiment`, `phase`, `dimension`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `dimension_values_rebuild` (
	`environment` text NOT NULL,
	`experiment` text NOT NULL,
	`phase` integer NOT NULL,
	`dimension` text NOT NULL,
	`kept` text NOT NULL,
	PRIMARY KEY(`environment`, `experiment`, `phase`, `dimension`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `names` (
	`environment` text NOT NULL,
	`id` integer NOT NULL,
	`name` text NOT NULL,
	PRIMARY KEY(`environment`, `id`)
) WITHOUT ROWID;
