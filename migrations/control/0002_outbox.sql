CREATE TABLE `cron_runs` (
	`id` integer PRIMARY KEY NOT NULL,
	`started_at_ms` integer NOT NULL,
	`finished_at_ms` integer
);
--> statement-breakpoint
CREATE TABLE `deliveries` (
	`notice` text NOT NULL,
	`webhook` text NOT NULL,
	`attempts` integer NOT NULL,
	`next_attempt_at_ms` integer,
	`delivered_at` text,
	`last_error` text,
	PRIMARY KEY(`notice`, `webhook`)
);
--> statement-breakpoint
CREATE INDEX `deliveries_due` ON `deliveries` (`next_attempt_at_ms`);--> statement-breakpoint
CREATE INDEX `deliveries_webhook` ON `deliveries` (`webhook`);--> statement-breakpoint
CREATE TABLE `notices` (
	`id` text PRIMARY KEY NOT NULL,
	`environment_id` text NOT NULL,
	`key` text NOT NULL,
	`kind` text NOT NULL,
	`at` text NOT NULL,
	`body` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `notices_key` ON `notices` (`environment_id`,`key`);--> statement-breakpoint
CREATE TABLE `webhooks` (
	`id` text PRIMARY KEY NOT NULL,
	`environment_id` text NOT NULL,
	`url` text NOT NULL,
	`events` text NOT NULL,
	`secret` text NOT NULL,
	`created_at` text NOT NULL,
	`removed_at` text,
	FOREIGN KEY (`environment_id`) REFERENCES `environments`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `webhooks_environment` ON `webhooks` (`environment_id`);--> statement-breakpoint
ALTER TABLE `looks` ADD `cause` text DEFAULT 'planned' NOT NULL;--> statement-breakpoint
ALTER TABLE `looks` ADD `recorded_at_ms` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `looks` ADD `analysis_version` integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE `looks` ADD `futility_boundary` real;--> statement-breakpoint
ALTER TABLE `looks` ADD `futile` integer DEFAULT false NOT NULL;