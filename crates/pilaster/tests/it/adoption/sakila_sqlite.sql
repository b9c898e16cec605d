-- Sakila's port to SQLite (BSD licence), its structure written out: the tables with what is special
-- about them there.
CREATE TABLE language (language_id SMALLINT NOT NULL, name CHAR(20) NOT NULL,
  last_update TIMESTAMP NOT NULL, PRIMARY KEY (language_id));
CREATE TABLE actor (actor_id numeric NOT NULL, first_name VARCHAR(45) NOT NULL,
  last_name VARCHAR(45) NOT NULL, last_update TIMESTAMP NOT NULL, PRIMARY KEY (actor_id));
CREATE INDEX idx_actor_last_name ON actor(last_name);
CREATE TABLE film (film_id int NOT NULL, title VARCHAR(255) NOT NULL,
  description BLOB SUB_TYPE TEXT DEFAULT NULL, release_year VARCHAR(4) DEFAULT NULL,
  language_id SMALLINT NOT NULL, rental_duration SMALLINT DEFAULT 3 NOT NULL,
  rental_rate DECIMAL(4,2) DEFAULT 4.99 NOT NULL, length SMALLINT DEFAULT NULL,
  rating VARCHAR(10) DEFAULT 'G', special_features VARCHAR(100) DEFAULT NULL,
  last_update TIMESTAMP NOT NULL, PRIMARY KEY (film_id),
  CONSTRAINT CHECK_special_features CHECK(special_features is null or
    special_features like '%Trailers%' or special_features like '%Commentaries%'),
  CONSTRAINT CHECK_special_rating CHECK(rating in ('G','PG','PG-13','R','NC-17')),
  CONSTRAINT fk_film_language FOREIGN KEY (language_id) REFERENCES language (language_id));
CREATE INDEX idx_fk_language_id ON film(language_id);
CREATE TABLE film_actor (actor_id INT NOT NULL, film_id INT NOT NULL, last_update TIMESTAMP NOT NULL,
  PRIMARY KEY (actor_id, film_id), CONSTRAINT fk_film_actor_actor FOREIGN KEY (actor_id)
    REFERENCES actor (actor_id) ON DELETE NO ACTION ON UPDATE CASCADE,
  CONSTRAINT fk_film_actor_film FOREIGN KEY (film_id) REFERENCES film (film_id)
    ON DELETE NO ACTION ON UPDATE CASCADE);
CREATE INDEX idx_fk_film_actor_film ON film_actor(film_id);
CREATE INDEX idx_title_lower ON film(lower(title)) WHERE rating <> 'NC-17';
CREATE TRIGGER actor_trigger_ai AFTER INSERT ON actor
BEGIN
  UPDATE actor SET last_update = DATETIME('NOW') WHERE rowid = new.rowid;
END;
CREATE TRIGGER film_trigger_au AFTER UPDATE ON film
BEGIN
  UPDATE film SET last_update = DATETIME('NOW') WHERE rowid = new.rowid;
END;
CREATE VIEW film_list AS SELECT film.film_id AS FID, film.title AS title, film.rental_rate AS price,
  film.rating AS rating, actor.first_name||' '||actor.last_name AS actors
  FROM film JOIN film_actor ON film.film_id = film_actor.film_id
  JOIN actor ON film_actor.actor_id = actor.actor_id;
CREATE VIEW [longest films] AS SELECT title, printf('%d min', length) AS how_long FROM film;
INSERT INTO actor VALUES (1, 'PENELOPE', 'GUINESS', '2006-02-15 04:34:33');
INSERT INTO language VALUES (1, 'English', '2006-02-15 05:02:19');
INSERT INTO film VALUES (1, 'ACADEMY DINOSAUR', 'An Epic Drama', '2006', 1, 6, 0.99, 86, 'PG',
  'Trailers', '2006-02-15 05:03:42');
INSERT INTO film_actor VALUES (1, 1, '2006-02-15 05:05:03');
