CREATE TABLE `api_keys` (
	`id` text PRIMARY KEY NOT NULL,
	`environment_id` text,
	`kind` text NOT NULL,
	`role` text,
	`name` text NOT NULL,
	`hash` text NOT NULL,
	`origins` text,
	`created_at` text NOT NULL,
	`revoked_at` text,
	`published` integer NOT NULL,
	FOREIGN KEY (`environment_id`) REFERENCES `environments`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `api_keys_hash` ON `api_keys` (`hash`);--> statement-breakpoint
CREATE INDEX `api_keys_environment` ON `api_keys` (`environment_id`);--> statement-breakpoint
CREATE TABLE `audit_log` (
	`id` text PRIMARY KEY NOT NULL,
	`environment_id` text NOT NULL,
	`version` integer NOT NULL,
	`at` text NOT NULL,
	`actor` text NOT NULL,
	`action` text NOT NULL,
	`entity` text NOT NULL,
	`entity_key` text NOT NULL,
	`reason` text,
	`after` text,
	FOREIGN KEY (`environment_id`) REFERENCES `environments`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `audit_log_version` ON `audit_log` (`environment_id`,`version`);--> statement-breakpoint
CREATE TABLE `customers` (
	`id` text PRIMARY KEY NOT NULL,
	`key` text NOT NULL,
	`name` text NOT NULL,
	`created_at` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `customers_key` ON `customers` (`key`);--> statement-breakpoint
CREATE TABLE `definitions` (
	`environment_id` text NOT NULL,
	`kind` text NOT NULL,
	`key` text NOT NULL,
	`id` text NOT NULL,
	`version` integer NOT NULL,
	`body` text NOT NULL,
	`created_at` text NOT NULL,
	`updated_at` text NOT NULL,
	PRIMARY KEY(`environment_id`, `kind`, `key`),
	FOREIGN KEY (`environment_id`) REFERENCES `environments`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE TABLE `environments` (
	`id` text PRIMARY KEY NOT NULL,
	`customer_id` text NOT NULL,
	`key` text NOT NULL,
	`name` text NOT NULL,
	`version` integer NOT NULL,
	`published_version` integer NOT NULL,
	`created_at` text NOT NULL,
	FOREIGN KEY (`customer_id`) REFERENCES `customers`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `environments_key` ON `environments` (`customer_id`,`key`);--> statement-breakpoint
CREATE TABLE `experiments` (
	`environment_id` text NOT NULL,
	`key` text NOT NULL,
	`id` text NOT NULL,
	`version` integer NOT NULL,
	`status` text NOT NULL,
	`body` text NOT NULL,
	`phases` text NOT NULL,
	`created_at` text NOT NULL,
	`updated_at` text NOT NULL,
	PRIMARY KEY(`environment_id`, `key`),
	FOREIGN KEY (`environment_id`) REFERENCES `environments`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `experiments_status` ON `experiments` (`environment_id`,`status`);--> statement-breakpoint
CREATE TABLE `looks` (
	`environment_id` text NOT NULL,
	`experiment` text NOT NULL,
	`phase` integer NOT NULL,
	`metric` text NOT NULL,
	`variant` text NOT NULL,
	`look` integer NOT NULL,
	`taken_at` text NOT NULL,
	`watermark_ms` integer NOT NULL,
	`information_fraction` real NOT NULL,
	`spending_time` real NOT NULL,
	`boundary` real,
	`z` real,
	`nominal_p` real NOT NULL,
	`alpha_spent` real NOT NULL,
	`crossed` integer NOT NULL,
	`final` integer NOT NULL,
	`inputs` text NOT NULL,
	`inference` text NOT NULL,
	PRIMARY KEY(`environment_id`, `experiment`, `phase`, `metric`, `variant`, `look`)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `looks_watermark` ON `looks` (`environment_id`,`experiment`,`phase`,`metric`,`variant`,`watermark_ms`);--> statement-breakpoint
CREATE TABLE `results` (
	`environment_id` text NOT NULL,
	`experiment` text NOT NULL,
	`as_of` text NOT NULL,
	`activity` text NOT NULL,
	`settles_at_ms` integer NOT NULL,
	`body` text NOT NULL,
	PRIMARY KEY(`environment_id`, `experiment`)
);
