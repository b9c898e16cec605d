-- The film rental shop of the Pagila sample database (BSD licence), its structure written out.
create type mpaa_rating as enum ('G', 'PG', 'PG-13', 'R', 'NC-17');
create domain year as integer constraint year_check check (value >= 1901 and value <= 2155);
create sequence actor_actor_id_seq;
create sequence film_film_id_seq;
create sequence payment_payment_id_seq;
create table actor (actor_id integer default nextval('actor_actor_id_seq') not null primary key,
  first_name varchar(45) not null, last_name varchar(45) not null,
  last_update timestamp without time zone default now() not null);
create table category (category_id serial primary key, name varchar(25) not null,
  last_update timestamp without time zone default now() not null);
create table country (country_id serial primary key, country varchar(50) not null,
  last_update timestamp without time zone default now() not null);
create table city (city_id serial primary key, city varchar(50) not null,
  country_id smallint not null references country on update cascade on delete restrict,
  last_update timestamp without time zone default now() not null);
create table address (address_id serial primary key, address varchar(50) not null,
  address2 varchar(50), district varchar(20) not null,
  city_id smallint not null references city on update cascade on delete restrict,
  postal_code varchar(10), phone varchar(20) not null,
  last_update timestamp without time zone default now() not null);
create table language (language_id serial primary key, name character(20) not null,
  last_update timestamp without time zone default now() not null);
create table film (film_id integer default nextval('film_film_id_seq') not null primary key,
  title varchar(255) not null, description text, release_year year,
  language_id smallint not null references language on update cascade on delete restrict,
  original_language_id smallint references language on update cascade on delete restrict,
  rental_duration smallint default 3 not null, rental_rate numeric(4,2) default 4.99 not null,
  length smallint, replacement_cost numeric(5,2) default 19.99 not null,
  rating mpaa_rating default 'G'::mpaa_rating,
  last_update timestamp without time zone default now() not null,
  special_features text[], fulltext tsvector not null);
create table film_actor (
  actor_id smallint not null references actor on update cascade on delete restrict,
  film_id smallint not null references film on update cascade on delete restrict,
  last_update timestamp without time zone default now() not null, primary key (actor_id, film_id));
create table film_category (
  film_id smallint not null references film on update cascade on delete restrict,
  category_id smallint not null references category on update cascade on delete restrict,
  last_update timestamp without time zone default now() not null,
  primary key (film_id, category_id));
create table store (store_id serial primary key, manager_staff_id smallint not null,
  address_id smallint not null references address on update cascade on delete restrict,
  last_update timestamp without time zone default now() not null);
create table staff (staff_id serial primary key, first_name varchar(45) not null,
  last_name varchar(45) not null,
  address_id smallint not null references address on update cascade on delete restrict,
  email varchar(50), store_id smallint not null references store, active boolean default true not null,
  username varchar(16) not null, password varchar(40),
  last_update timestamp without time zone default now() not null, picture bytea);
alter table store add constraint store_manager_staff_id_fkey foreign key (manager_staff_id)
  references staff (staff_id) on update cascade on delete restrict;
create table customer (customer_id serial primary key,
  store_id smallint not null references store on update cascade on delete restrict,
  first_name varchar(45) not null, last_name varchar(45) not null, email varchar(50),
  address_id smallint not null references address on update cascade on delete restrict,
  activebool boolean default true not null, create_date date default ('now'::text)::date not null,
  last_update timestamp without time zone default now(), active integer);
create table inventory (inventory_id serial primary key,
  film_id smallint not null references film on update cascade on delete restrict,
  store_id smallint not null references store on update cascade on delete restrict,
  last_update timestamp without time zone default now() not null);
create table rental (rental_id serial primary key, rental_date timestamp without time zone not null,
  inventory_id integer not null references inventory on update cascade on delete restrict,
  customer_id smallint not null references customer on update cascade on delete restrict,
  return_date timestamp without time zone,
  staff_id smallint not null references staff on update cascade on delete restrict,
  last_update timestamp without time zone default now() not null);
create table payment (
  payment_id integer default nextval('payment_payment_id_seq') not null primary key,
  customer_id smallint not null references customer on update cascade on delete restrict,
  staff_id smallint not null references staff on update cascade on delete restrict,
  rental_id integer not null references rental on update cascade on delete set null,
  amount numeric(5,2) not null, payment_date timestamp without time zone not null);
create table payment_p2007_01 (constraint payment_p2007_01_payment_date_check check
  (payment_date >= '2007-01-01'::timestamp and payment_date < '2007-02-01'::timestamp))
  inherits (payment);
create table payment_p2007_02 (constraint payment_p2007_02_payment_date_check check
  (payment_date >= '2007-02-01'::timestamp and payment_date < '2007-03-01'::timestamp))
  inherits (payment);
create rule payment_insert_p2007_01 as on insert to payment
  where new.payment_date >= '2007-01-01'::timestamp and new.payment_date < '2007-02-01'::timestamp
  do instead insert into payment_p2007_01 values (new.payment_id, new.customer_id, new.staff_id,
    new.rental_id, new.amount, new.payment_date);
create unique index idx_unq_manager_staff_id on store (manager_staff_id);
create unique index idx_unq_rental on rental (rental_date, inventory_id, customer_id);
create index film_fulltext_idx on film using gist (fulltext);
create index idx_actor_last_name on actor (last_name);
create index idx_fk_address_id on customer (address_id);
create index idx_last_name on customer (last_name);
create index idx_store_id_film_id on inventory (store_id, film_id);
create index idx_title on film (title);
create function _group_concat(text, text) returns text language sql immutable as $_$
select case when $2 is null then $1 when $1 is null then $2 else $1 || ', ' || $2 end
$_$;
create aggregate group_concat(text) (sfunc = _group_concat, stype = text);
create function inventory_in_stock(p_inventory_id integer) returns boolean language plpgsql as $$
declare
  v_rentals integer;
  v_out integer;
begin
  select count(*) into v_rentals from rental where inventory_id = p_inventory_id;
  if v_rentals = 0 then
    return true;
  end if;
  select count(rental_id) into v_out from inventory left join rental using (inventory_id)
   where inventory.inventory_id = p_inventory_id and rental.return_date is null;
  return v_out = 0;
end $$;
create function film_in_stock(p_film_id integer, p_store_id integer, out p_film_count integer)
returns setof integer language sql as $_$
  select inventory_id from inventory
   where film_id = $1 and store_id = $2 and inventory_in_stock(inventory_id);
$_$;
create function rewards_report(min_monthly_purchases integer) returns setof customer
language plpgsql security definer as $_$
declare rr record;
begin
  for rr in select c.* from customer as c loop return next rr; end loop;
end $_$;
create function last_updated() returns trigger language plpgsql as $$
begin
  new.last_update = current_timestamp;
  return new;
end $$;
create trigger last_updated before update on actor for each row execute procedure last_updated();
create trigger last_updated before update on film for each row execute procedure last_updated();
create trigger film_fulltext_trigger before insert or update on film for each row
  execute procedure tsvector_update_trigger('fulltext', 'pg_catalog.english', 'title', 'description');
create view actor_info as
  select a.actor_id, a.first_name, a.last_name,
    group_concat(distinct (c.name || ': ') || (select group_concat(f.title) from film f
      join film_category fc_1 on f.film_id = fc_1.film_id
      join film_actor fa_1 on f.film_id = fa_1.film_id
     where fc_1.category_id = c.category_id and fa_1.actor_id = a.actor_id
     group by fa_1.actor_id)) as film_info
  from actor a left join film_actor fa on a.actor_id = fa.actor_id
  left join film_category fc on fa.film_id = fc.film_id
  left join category c on fc.category_id = c.category_id
  group by a.actor_id, a.first_name, a.last_name;
create view customer_list as
  select cu.customer_id as id, cu.first_name || ' ' || cu.last_name as name, a.address,
    a.postal_code as "zip code", a.phone, city.city, country.country,
    case when cu.activebool then 'active' else '' end as notes, cu.store_id as sid
  from customer cu join address a on cu.address_id = a.address_id
  join city on a.city_id = city.city_id join country on city.country_id = country.country_id;
create view film_list as
  select film.film_id as fid, film.title, film.description, category.name as category,
    film.rental_rate as price, film.length, film.rating,
    group_concat(actor.first_name || ' ' || actor.last_name) as actors
  from category left join film_category on category.category_id = film_category.category_id
  left join film on film_category.film_id = film.film_id
  join film_actor on film.film_id = film_actor.film_id
  join actor on film_actor.actor_id = actor.actor_id
  group by film.film_id, film.title, film.description, category.name, film.rental_rate,
    film.length, film.rating;
create view sales_by_film_category as
  select c.name as category, sum(p.amount) as total_sales from payment p
  join rental r on p.rental_id = r.rental_id join inventory i on r.inventory_id = i.inventory_id
  join film f on i.film_id = f.film_id join film_category fc on f.film_id = fc.film_id
  join category c on fc.category_id = c.category_id group by c.name order by sum(p.amount) desc;
create view staff_list as
  select s.staff_id as id, s.first_name || ' ' || s.last_name as name, a.address,
    a.postal_code as "zip code", a.phone, city.city, country.country, s.store_id as sid
  from staff s join address a on s.address_id = a.address_id join city on a.city_id = city.city_id
  join country on city.country_id = country.country_id;
insert into actor (first_name, last_name) values ('PENELOPE', 'GUINESS');
insert into language (name) values ('English');
insert into film (title, description, release_year, language_id, rating, special_features)
  values ('ACADEMY DINOSAUR', 'An Epic Drama', 2006, 1, 'PG', '{Trailers,"Deleted Scenes"}');
insert into film_actor (actor_id, film_id) values (1, 1);
