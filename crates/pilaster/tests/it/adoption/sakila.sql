-- The film rental shop of the Sakila sample database (BSD licence), its structure written out.
create table actor (actor_id smallint unsigned not null auto_increment primary key,
  first_name varchar(45) not null, last_name varchar(45) not null,
  last_update timestamp not null default current_timestamp on update current_timestamp,
  key idx_actor_last_name (last_name));
create table country (country_id smallint unsigned not null auto_increment primary key,
  country varchar(50) not null,
  last_update timestamp not null default current_timestamp on update current_timestamp);
create table city (city_id smallint unsigned not null auto_increment primary key,
  city varchar(50) not null, country_id smallint unsigned not null,
  last_update timestamp not null default current_timestamp on update current_timestamp,
  key idx_fk_country_id (country_id), constraint fk_city_country foreign key (country_id)
    references country (country_id) on delete restrict on update cascade);
create table address (address_id smallint unsigned not null auto_increment primary key,
  address varchar(50) not null, address2 varchar(50) default null, district varchar(20) not null,
  city_id smallint unsigned not null, postal_code varchar(10) default null,
  phone varchar(20) not null, location geometry not null,
  last_update timestamp not null default current_timestamp on update current_timestamp,
  key idx_fk_city_id (city_id), spatial key idx_location (location),
  constraint fk_address_city foreign key (city_id) references city (city_id)
    on delete restrict on update cascade);
create table category (category_id tinyint unsigned not null auto_increment primary key,
  name varchar(25) not null,
  last_update timestamp not null default current_timestamp on update current_timestamp);
create table language (language_id tinyint unsigned not null auto_increment primary key,
  name char(20) not null,
  last_update timestamp not null default current_timestamp on update current_timestamp);
create table film (film_id smallint unsigned not null auto_increment primary key,
  title varchar(128) not null, description text default null, release_year year default null,
  language_id tinyint unsigned not null, original_language_id tinyint unsigned default null,
  rental_duration tinyint unsigned not null default 3, rental_rate decimal(4,2) not null default 4.99,
  length smallint unsigned default null, replacement_cost decimal(5,2) not null default 19.99,
  rating enum('G','PG','PG-13','R','NC-17') default 'G',
  special_features set('Trailers','Commentaries','Deleted Scenes','Behind the Scenes') default null,
  last_update timestamp not null default current_timestamp on update current_timestamp,
  key idx_title (title), key idx_fk_language_id (language_id),
  key idx_fk_original_language_id (original_language_id), constraint fk_film_language
    foreign key (language_id) references language (language_id) on delete restrict on update cascade,
  constraint fk_film_language_original foreign key (original_language_id)
    references language (language_id) on delete restrict on update cascade);
create table film_actor (actor_id smallint unsigned not null, film_id smallint unsigned not null,
  last_update timestamp not null default current_timestamp on update current_timestamp,
  primary key (actor_id, film_id), key idx_fk_film_id (film_id), constraint fk_film_actor_actor
    foreign key (actor_id) references actor (actor_id) on delete restrict on update cascade,
  constraint fk_film_actor_film foreign key (film_id) references film (film_id)
    on delete restrict on update cascade);
create table film_category (film_id smallint unsigned not null, category_id tinyint unsigned not null,
  last_update timestamp not null default current_timestamp on update current_timestamp,
  primary key (film_id, category_id), constraint fk_film_category_film foreign key (film_id)
    references film (film_id) on delete restrict on update cascade,
  constraint fk_film_category_category foreign key (category_id) references category (category_id)
    on delete restrict on update cascade);
create table film_text (film_id smallint not null primary key, title varchar(255) not null,
  description text, fulltext key idx_title_description (title, description));
create table staff (staff_id tinyint unsigned not null auto_increment primary key,
  first_name varchar(45) not null, last_name varchar(45) not null,
  address_id smallint unsigned not null, picture blob default null, email varchar(50) default null,
  store_id tinyint unsigned not null, active boolean not null default true,
  username varchar(16) not null, password varchar(40) character set utf8mb4 collate utf8mb4_bin default null,
  last_update timestamp not null default current_timestamp on update current_timestamp,
  key idx_fk_store_id (store_id), key idx_fk_address_id (address_id), constraint fk_staff_address
    foreign key (address_id) references address (address_id) on delete restrict on update cascade);
create table store (store_id tinyint unsigned not null auto_increment primary key,
  manager_staff_id tinyint unsigned not null, address_id smallint unsigned not null,
  last_update timestamp not null default current_timestamp on update current_timestamp,
  unique key idx_unique_manager (manager_staff_id), key idx_fk_address_id (address_id),
  constraint fk_store_staff foreign key (manager_staff_id) references staff (staff_id)
    on delete restrict on update cascade,
  constraint fk_store_address foreign key (address_id) references address (address_id)
    on delete restrict on update cascade);
alter table staff add constraint fk_staff_store foreign key (store_id) references store (store_id)
  on delete restrict on update cascade;
create table customer (customer_id smallint unsigned not null auto_increment primary key,
  store_id tinyint unsigned not null, first_name varchar(45) not null, last_name varchar(45) not null,
  email varchar(50) default null, address_id smallint unsigned not null,
  active boolean not null default true, create_date datetime not null,
  last_update timestamp default current_timestamp on update current_timestamp,
  key idx_fk_store_id (store_id), key idx_fk_address_id (address_id), key idx_last_name (last_name),
  constraint fk_customer_address foreign key (address_id) references address (address_id)
    on delete restrict on update cascade, constraint fk_customer_store foreign key (store_id)
    references store (store_id) on delete restrict on update cascade);
create table inventory (inventory_id mediumint unsigned not null auto_increment primary key,
  film_id smallint unsigned not null, store_id tinyint unsigned not null,
  last_update timestamp not null default current_timestamp on update current_timestamp,
  key idx_fk_film_id (film_id), key idx_store_id_film_id (store_id, film_id),
  constraint fk_inventory_store foreign key (store_id) references store (store_id)
    on delete restrict on update cascade, constraint fk_inventory_film foreign key (film_id)
    references film (film_id) on delete restrict on update cascade);
create table rental (rental_id int not null auto_increment primary key, rental_date datetime not null,
  inventory_id mediumint unsigned not null, customer_id smallint unsigned not null,
  return_date datetime default null, staff_id tinyint unsigned not null,
  last_update timestamp not null default current_timestamp on update current_timestamp,
  unique key (rental_date, inventory_id, customer_id), key idx_fk_inventory_id (inventory_id),
  key idx_fk_customer_id (customer_id), key idx_fk_staff_id (staff_id), constraint fk_rental_staff
    foreign key (staff_id) references staff (staff_id) on delete restrict on update cascade,
  constraint fk_rental_inventory foreign key (inventory_id) references inventory (inventory_id)
    on delete restrict on update cascade, constraint fk_rental_customer foreign key (customer_id)
    references customer (customer_id) on delete restrict on update cascade);
create table payment (payment_id smallint unsigned not null auto_increment primary key,
  customer_id smallint unsigned not null, staff_id tinyint unsigned not null,
  rental_id int default null, amount decimal(5,2) not null, payment_date datetime not null,
  last_update timestamp default current_timestamp on update current_timestamp,
  key idx_fk_staff_id (staff_id), key idx_fk_customer_id (customer_id), constraint fk_payment_rental
    foreign key (rental_id) references rental (rental_id) on delete set null on update cascade,
  constraint fk_payment_customer foreign key (customer_id) references customer (customer_id)
    on delete restrict on update cascade, constraint fk_payment_staff foreign key (staff_id)
    references staff (staff_id) on delete restrict on update cascade);
create trigger customer_create_date before insert on customer for each row
  set new.create_date = now();
create trigger ins_film after insert on film for each row begin
  insert into film_text (film_id, title, description) values (new.film_id, new.title, new.description);
end;
create trigger upd_film after update on film for each row begin
  if (old.title != new.title) or (old.description != new.description) or (old.film_id != new.film_id)
  then
    update film_text set title = new.title, description = new.description, film_id = new.film_id
     where film_id = old.film_id;
  end if;
end;
create trigger del_film after delete on film for each row begin
  delete from film_text where film_id = old.film_id;
end;
create view customer_list as select cu.customer_id as id,
    concat(cu.first_name, ' ', cu.last_name) as name, a.address as address,
    a.postal_code as `zip code`, a.phone as phone, city.city as city, country.country as country,
    if(cu.active, 'active', '') as notes, cu.store_id as sid
  from customer as cu join address as a on cu.address_id = a.address_id
  join city on a.city_id = city.city_id join country on city.country_id = country.country_id;
create view film_list as select film.film_id as fid, film.title as title,
    film.description as description, category.name as category, film.rental_rate as price,
    film.length as length, film.rating as rating,
    group_concat(concat(actor.first_name, ' ', actor.last_name) separator ', ') as actors
  from film left join film_category on film_category.film_id = film.film_id
  left join category on category.category_id = film_category.category_id
  left join film_actor on film.film_id = film_actor.film_id
  left join actor on film_actor.actor_id = actor.actor_id
  group by film.film_id, film.title, film.description, category.name, film.rental_rate,
    film.length, film.rating;
create view sales_by_film_category as select c.name as category, sum(p.amount) as total_sales
  from payment as p inner join rental as r on p.rental_id = r.rental_id
  inner join inventory as i on r.inventory_id = i.inventory_id
  inner join film as f on i.film_id = f.film_id
  inner join film_category as fc on f.film_id = fc.film_id
  inner join category as c on fc.category_id = c.category_id
  group by c.name order by total_sales desc;
create definer = current_user sql security invoker view actor_info as
  select a.actor_id, a.first_name, a.last_name,
    group_concat(distinct concat(c.name, ': ', f.title) order by c.name separator '; ') as film_info
  from actor a left join film_actor fa on a.actor_id = fa.actor_id
  left join film_category fc on fa.film_id = fc.film_id
  left join category c on fc.category_id = c.category_id left join film f on f.film_id = fa.film_id
  group by a.actor_id, a.first_name, a.last_name;
create procedure film_in_stock(in p_film_id int, in p_store_id int, out p_film_count int)
reads sql data
begin
  select inventory_id from inventory where film_id = p_film_id and store_id = p_store_id
    and inventory_in_stock(inventory_id);
  select count(*) from inventory where film_id = p_film_id and store_id = p_store_id into p_film_count;
end;
create function inventory_in_stock(p_inventory_id int) returns boolean reads sql data
begin
  declare v_rentals int;
  declare v_out int;
  select count(*) into v_rentals from rental where inventory_id = p_inventory_id;
  if v_rentals = 0 then
    return true;
  end if;
  select count(rental_id) into v_out from inventory left join rental using (inventory_id)
   where inventory.inventory_id = p_inventory_id and rental.return_date is null;
  if v_out > 0 then
    return false;
  else
    return true;
  end if;
end;
create function inventory_held_by_customer(p_inventory_id int) returns int reads sql data
begin
  declare v_customer_id int;
  declare exit handler for not found return null;
  select customer_id into v_customer_id from rental
   where return_date is null and inventory_id = p_inventory_id;
  return v_customer_id;
end;
insert into actor (first_name, last_name) values ('PENELOPE', 'GUINESS');
insert into language (name) values ('English');
insert into film (title, description, release_year, language_id, rating, special_features)
  values ('ACADEMY DINOSAUR', 'An Epic Drama', 2006, 1, 'PG', 'Trailers,Deleted Scenes');
insert into film_actor (actor_id, film_id) values (1, 1);
